"""Writers for emitted files, one per language, from values to text."""
