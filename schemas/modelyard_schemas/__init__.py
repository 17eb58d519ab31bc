"""The JSON Schema of the spec, versioned."""
