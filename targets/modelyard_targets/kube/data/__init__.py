"""Data access of workloads: stores, also on other targets, model bundles, and disks."""
