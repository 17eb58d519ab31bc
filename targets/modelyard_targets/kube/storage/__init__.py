"""Object storage, including a driver for each protocol and the names and addresses of buckets."""
