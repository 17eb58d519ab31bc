"""Written by modelyard 0.1.0; change the spec, not this file."""

import pulumi
from modelyard_stacks.gcp.federation import TrustedIdentity, TrustedIssuer
from modelyard_stacks.gcp.project import Project

project = Project(
    "main",
    region="europe-west3",
    labels={
        "modelyard-system": "welds",
        "modelyard-environment": "default",
        "modelyard-target": "main",
        "modelyard-owner": "quality",
    },
    services=["iam.googleapis.com", "sts.googleapis.com"],
)

plant_issuer = TrustedIssuer(
    "plant",
    project=project,
    issuer="https://kubernetes.default.svc.cluster.local",
    namespace="welds",
    pool="my-welds-main-pla-38499c9edf",
    token_file="/var/run/modelyard/identities/main/token",
)
TrustedIdentity(
    "plant.line",
    issuer=plant_issuer,
    service_account="line",
    access=[
        {"bucket": "welds-lake-e5c3c3", "prefix": "mlflow/bundles/welds-crack/champion/", "mode": "read"},
        {"bucket": "welds-lake-e5c3c3", "prefix": "captures/line", "mode": "append"},
    ],
)
TrustedIdentity(
    "plant.monitor-drift",
    issuer=plant_issuer,
    service_account="monitor-drift",
    access=[
        {"bucket": "welds-lake-e5c3c3", "prefix": "captures/line", "mode": "read"},
        {"bucket": "welds-lake-e5c3c3", "prefix": "seams", "mode": "read"},
        {"bucket": "welds-lake-e5c3c3", "prefix": "captures/line/_monitors/drift/", "mode": "write"},
        {"bucket": "welds-lake-e5c3c3", "prefix": "mlflow/bundles/welds-crack/champion/", "mode": "read"},
        {
            "bucket": "welds-lake-e5c3c3",
            "prefix": "mlflow/run-requests/welds/default/main/asked/retrain/drift/",
            "mode": "append",
        },
    ],
)

pulumi.export("plant__line_credentials", plant_issuer.credentials)
pulumi.export("plant__monitor_drift_credentials", plant_issuer.credentials)
