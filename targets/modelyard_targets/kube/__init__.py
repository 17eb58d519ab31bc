"""Lowering shared by all clusters: how workloads become Kubernetes and KubeRay objects, whoever runs the cluster."""
