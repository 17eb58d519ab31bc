"""Monitors read data, compute metrics, and take actions on a breach."""
