"""Metrics of runs that are too short to be scraped."""
