"""Runs a pipeline, with its driver and its steps."""
