"""What commands print: diagnostics, the spec as it is understood, fields of the schema, the plan as a picture."""
