"""Components for Azure, one module per subject; a program gets a copy of those that it needs."""
