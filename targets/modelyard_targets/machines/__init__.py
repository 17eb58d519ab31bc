"""Machine logic that all targets share: accelerator names, fitting one Pod, and packing many Pods."""
