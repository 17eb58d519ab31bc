"""Prints the output of commands: diagnostics, the resolved spec, and fields of the schema."""
