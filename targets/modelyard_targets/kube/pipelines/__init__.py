"""Pipelines, the launchers and starters of their runs, and the promoter of their models."""
