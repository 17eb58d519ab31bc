"""What users may change of emitted objects, and the fields that these have."""
