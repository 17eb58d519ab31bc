"""Existing clusters: their declared machines, what fits on them, and what a tenant may not install."""
