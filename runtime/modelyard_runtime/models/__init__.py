"""Loads models, checks their input rows, and brings their predictions into one format."""
