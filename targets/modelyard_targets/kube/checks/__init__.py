"""Checks for what no cluster can provide."""
