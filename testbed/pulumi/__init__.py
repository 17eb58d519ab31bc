"""The real Pulumi engine, driven by tests."""
