"""Names and labels of the series behind rules and dashboards."""
