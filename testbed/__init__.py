"""Real programs for tests, which are built from public sources, started and stopped here."""
