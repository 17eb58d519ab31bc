"""Pipelines, what starts their runs, and what promotes their models."""
