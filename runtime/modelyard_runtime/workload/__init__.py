"""The compiled description of a workload."""
