"""Runs a pipeline: its driver and its steps."""
