"""Pipelines, launchers and the starter of runs, and the promoter of models."""
