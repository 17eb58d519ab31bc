"""What editors are given: schemas that complete, and a language server."""
