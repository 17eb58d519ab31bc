"""Jobs that prepare a bucket or a database for the workloads that use it."""
