"""Object storage: a driver for each protocol, and the buckets that are opened by them."""
