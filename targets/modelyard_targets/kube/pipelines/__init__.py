"""Pipelines, the launchers and the starter of their runs, and the promoter of model versions."""
