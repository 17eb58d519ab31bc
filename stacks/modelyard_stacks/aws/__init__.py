"""Components for Amazon Web Services, one module per subject; a program gets a copy of those that it needs."""
