"""Where workloads keep data: stores of other targets, keys, bundles of models, and disks."""
