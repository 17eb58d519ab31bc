"""Loads models, checks input rows, and converts predictions to a common format."""
