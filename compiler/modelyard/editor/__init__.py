"""Editor support: schemas for completion, and a language server."""
