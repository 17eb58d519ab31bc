"""Names and labels of the series that rules and dashboards read."""
