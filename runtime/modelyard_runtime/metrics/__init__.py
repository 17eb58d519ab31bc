"""Model metrics, computed from labels and predictions."""
