"""What every target knows of machines: accelerators by name, whether a Pod fits, and how many fit together."""
