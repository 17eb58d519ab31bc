"""Pushes metrics from runs that are too short to be scraped."""
