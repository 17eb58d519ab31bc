"""Existing clusters: their declared machines, what fits on those machines, and what a tenant may not install."""
