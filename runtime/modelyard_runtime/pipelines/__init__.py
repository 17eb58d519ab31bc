"""The driver of a pipeline and its steps."""
