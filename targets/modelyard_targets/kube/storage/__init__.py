"""Object storage: a driver for each protocol, and bucket names and addresses."""
