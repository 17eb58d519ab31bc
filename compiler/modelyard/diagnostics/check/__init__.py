"""Diagnostics about valid systems that make no sense or break their own rules: E04 and W04."""
