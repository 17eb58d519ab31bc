"""Written by modelyard 0.1.0; change the spec, not this file."""

from modelyard_stacks import kubernetes

cluster = kubernetes.Cluster("main")

foundation = kubernetes.Manifests(
    "foundation",
    cluster=cluster,
    files=["namespace.yaml", "secrets.yaml", "channels.yaml"],
    in_order=True,
)

kubernetes.Manifests(
    "workloads",
    cluster=cluster,
    files=[
        "pipeline-forecast.yaml",
        "pipeline-retrain.yaml",
        "monitor-assortment-drift.yaml",
        "monitor-forecast-error.yaml",
        "monitor-receipts-complete.yaml",
    ],
    depends_on=[foundation],
)
