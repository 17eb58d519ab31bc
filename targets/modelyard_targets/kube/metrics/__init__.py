"""Names and labels of the metrics that rules and dashboards use."""
