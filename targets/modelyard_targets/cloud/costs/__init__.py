"""Cost lines for clouds: prices, runs, nodes, and the cloud resources that Kubernetes objects create."""
