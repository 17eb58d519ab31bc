"""A driver for each storage protocol. A cloud's libraries are only imported once one of its stores is opened."""
