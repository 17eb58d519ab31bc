"""Data of workloads: stores and how they are opened, also on other targets, bundles of models, and disks."""
