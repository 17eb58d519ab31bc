"""The real Pulumi engine, controlled by tests."""
