"""What every cluster shares: how workloads become objects of Kubernetes and KubeRay, whoever runs the cluster."""
