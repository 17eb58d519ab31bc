"""Overrides of emitted objects, and checks of the overridden objects."""
