"""A driver for each storage protocol. A cloud's libraries are imported only when one of its stores is opened."""
