"""Pipelines, the launchers and the starter of pipeline runs, and the promoter of model versions."""
