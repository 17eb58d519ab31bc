"""Diagnostics about valid systems that make no sense or violate their own rules: E04 and W04."""
