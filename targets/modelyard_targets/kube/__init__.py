"""Lowering shared by all clusters, managed or not: turn workloads into Kubernetes and KubeRay objects."""
