"""Captures requests and predictions for monitors."""
