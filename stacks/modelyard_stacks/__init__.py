"""Pulumi components that the emitted programs import."""
