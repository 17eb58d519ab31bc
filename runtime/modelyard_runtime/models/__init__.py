"""Loads models, checks their input rows, and converts their predictions to a common format."""
