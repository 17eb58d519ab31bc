"""Written by modelyard 0.1.0; change the spec, not this file."""

from modelyard_stacks import kubernetes
from modelyard_stacks.infrastructure import Infrastructure

cluster = kubernetes.Cluster("stores")

foundation = kubernetes.Manifests("foundation", cluster=cluster, files=["namespace.yaml"], in_order=True)

main_infrastructure = Infrastructure("fraud-detection-main-infrastructure", setting="infrastructure-main")
crossing_till_secret = kubernetes.Object(
    "crossing-till",
    cluster=cluster,
    document={
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": "crossing-till",
            "namespace": "fraud-detection",
            "labels": {
                "app.kubernetes.io/name": "crossing-till",
                "app.kubernetes.io/part-of": "fraud-detection",
                "app.kubernetes.io/managed-by": "pulumi",
                "modelyard.dev/system": "fraud-detection",
                "modelyard.dev/workload": "inference.till",
                "modelyard.dev/component": "crossing",
            },
        },
        "type": "Opaque",
        "stringData": {
            "access-key-id-1": main_infrastructure["stores__till_access_key_id_1"],
            "secret-access-key-1": main_infrastructure["stores__till_secret_access_key_1"],
        },
    },
    depends_on=[foundation],
)

kubernetes.Manifests(
    "workloads",
    cluster=cluster,
    files=["model-till.yaml"],
    depends_on=[foundation, crossing_till_secret],
)
