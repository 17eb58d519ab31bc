"""One package a provider: what each place can run, as data."""
