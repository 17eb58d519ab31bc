"""Machine logic shared by all targets: accelerator names, whether a Pod fits, and how many fit together."""
