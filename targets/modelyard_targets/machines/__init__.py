"""Machine logic shared by all targets: accelerator names, fitting a Pod, and packing many Pods."""
