"""A driver for each protocol of storage. Libraries of a cloud are imported when a store of it is opened."""
