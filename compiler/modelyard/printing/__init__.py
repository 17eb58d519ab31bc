"""The output of commands: diagnostics, the resolved spec, fields of the schema, the plan as a diagram."""
