"""Pushes metrics of runs that are too short to be scraped."""
