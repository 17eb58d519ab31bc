"""Metrics of models, computed from true values and predictions."""
