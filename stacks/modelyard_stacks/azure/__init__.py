"""Components for Azure, one module per subject. Each program gets a copy of the modules it needs."""
