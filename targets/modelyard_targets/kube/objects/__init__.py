"""Overrides of emitted objects, and the fields of these objects."""
