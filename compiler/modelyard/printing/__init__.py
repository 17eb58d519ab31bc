"""Render the output of commands: diagnostics, the resolved spec, and schema fields."""
