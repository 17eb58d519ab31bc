"""Cost lines for clouds, covering prices, runs, nodes, and cloud resources created by Kubernetes objects."""
