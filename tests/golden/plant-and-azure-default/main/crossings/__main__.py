"""Written by modelyard 0.1.0; change the spec, not this file."""

import pulumi
from modelyard_stacks.azure.adopted import AdoptedCluster
from modelyard_stacks.azure.group import ResourceGroup
from modelyard_stacks.azure.identity import Identity

group = ResourceGroup(
    "main",
    region="germanywestcentral",
    group="paints-main",
    tags={
        "modelyard-system": "paints",
        "modelyard-environment": "default",
        "modelyard-target": "main",
        "modelyard-owner": "quality",
    },
    adopted=True,
)

plant_issuer = AdoptedCluster("plant", group=group, cluster_name="plant", issuer="https://tokens.acme.example/plant")
plant__line_identity = Identity(
    "plant_line",
    group=group,
    cluster=plant_issuer,
    namespace="paints",
    service_account="line",
    access=[
        {
            "account": "paintslake7994491217",
            "container": "paints-lake",
            "prefix": "mlflow/bundles/paints-flaw/champion/",
            "mode": "read",
        },
        {"account": "paintslake7994491217", "container": "paints-lake", "prefix": "captures/line", "mode": "append"},
    ],
    roles="paints-main",
)
plant__monitor_drift_identity = Identity(
    "plant_monitor-drift",
    group=group,
    cluster=plant_issuer,
    namespace="paints",
    service_account="monitor-drift",
    access=[
        {"account": "paintslake7994491217", "container": "paints-lake", "prefix": "captures/line", "mode": "read"},
        {"account": "paintslake7994491217", "container": "paints-lake", "prefix": "coats", "mode": "read"},
        {
            "account": "paintslake7994491217",
            "container": "paints-lake",
            "prefix": "captures/line/_monitors/drift/",
            "mode": "write",
        },
        {
            "account": "paintslake7994491217",
            "container": "paints-lake",
            "prefix": "mlflow/bundles/paints-flaw/champion/",
            "mode": "read",
        },
        {
            "account": "paintslake7994491217",
            "container": "paints-lake",
            "prefix": "mlflow/run-requests/paints/default/main/asked/retrain/drift/",
            "mode": "append",
        },
    ],
    roles="paints-main",
)

pulumi.export("plant__line_client_id", plant__line_identity.client_id)
pulumi.export("plant__line_tenant", group.tenant)
pulumi.export("plant__monitor_drift_client_id", plant__monitor_drift_identity.client_id)
pulumi.export("plant__monitor_drift_tenant", group.tenant)
