"""Site groups that share one definition, and the values that differ between their sites."""
