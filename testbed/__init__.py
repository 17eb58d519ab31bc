"""The real programs that tests run against: built from public sources, started and stopped here."""
