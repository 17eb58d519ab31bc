"""Code shared by all stand-ins: the provider protocol, the lifecycle of resources, and failures requested by tests."""
