"""The model registry: its client, its server, and how versions are written and described."""
