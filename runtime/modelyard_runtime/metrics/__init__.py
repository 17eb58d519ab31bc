"""Metrics of models, computed from labels and predictions."""
