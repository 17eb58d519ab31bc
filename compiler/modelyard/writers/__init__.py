"""What emitted files are written with: a writer for each language, from values to text."""
