"""The real parts that the tests run against: built from public sources, started and ended here."""
