"""Real programs for tests: builds them from public sources, starts them and stops them."""
