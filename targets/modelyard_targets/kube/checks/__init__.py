"""Checks that apply to every cluster."""
