"""Written by modelyard 0.1.0; change the spec, not this file."""

from modelyard_stacks import kubernetes

cluster = kubernetes.Cluster("stores")

foundation = kubernetes.Manifests("foundation", cluster=cluster, files=["namespace.yaml"], in_order=True)

kubernetes.Manifests("workloads", cluster=cluster, files=["model-till.yaml"], depends_on=[foundation])
