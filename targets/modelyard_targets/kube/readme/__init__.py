"""A target's README."""
