"""Cost lines of clouds: prices, runs, nodes, and what Kubernetes objects create in a cloud."""
