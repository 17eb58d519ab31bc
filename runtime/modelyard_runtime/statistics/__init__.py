"""Profiles of columns, and measures of drift from them."""
