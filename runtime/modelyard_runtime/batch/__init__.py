"""Batch inference: scores whole datasets."""
