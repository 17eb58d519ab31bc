"""Lowering shared by all clusters, managed or not. Turns workloads into Kubernetes and KubeRay objects."""
