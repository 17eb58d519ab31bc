"""Profiles of columns, and measures of how columns drift from them."""
