"""Batch inference: scoring of whole datasets."""
