"""Clouds on loopback, a package each; what they share is in `shared`."""
