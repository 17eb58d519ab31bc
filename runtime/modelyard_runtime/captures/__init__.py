"""Requests and predictions, captured for monitors."""
