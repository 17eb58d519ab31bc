"""Components for Amazon Web Services, one module per subject. Each program gets a copy of the modules it needs."""
