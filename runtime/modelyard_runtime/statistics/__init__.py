"""Profiles of columns, and drift from them."""
