"""Components for Google Cloud, one module per subject; a program gets a copy of those that it needs."""
