"""Code shared by all stand-ins: the provider protocol, resource lifecycles, and failures requested by tests."""
