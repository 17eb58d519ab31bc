"""Profiles of columns, and measures of their drift."""
