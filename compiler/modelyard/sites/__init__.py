"""Groups of sites that share one definition, and the values that differ between the sites."""
