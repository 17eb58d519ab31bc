"""Machine logic shared by all targets: accelerator names, fitting one Pod, and packing many."""
