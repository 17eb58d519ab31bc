"""Workload access to data: stores on this and other targets, model bundles, and disks."""
