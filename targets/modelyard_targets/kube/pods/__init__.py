"""The frame of every Pod, what Pods ask of their machines, and who yields."""
