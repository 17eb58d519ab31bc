"""Written by modelyard 0.1.0; change the spec, not this file."""

import pulumi
from modelyard_stacks.gcp.federation import TrustedIdentity, TrustedIssuer
from modelyard_stacks.gcp.project import Project
from modelyard_stacks.infrastructure import Infrastructure

project = Project(
    "learn",
    region="europe-west3",
    labels={
        "modelyard-system": "offers",
        "modelyard-environment": "default",
        "modelyard-target": "learn",
        "modelyard-owner": "growth",
    },
    project_id="acme-learn",
    services=["iam.googleapis.com", "sts.googleapis.com"],
)

shop_infrastructure = Infrastructure("offers-shop-infrastructure", setting="infrastructure-shop")

shop_issuer = TrustedIssuer(
    "shop",
    project=project,
    issuer=shop_infrastructure["issuer"],
    namespace="offers",
    pool="my-offers-learn-s-9e608d71d5",
    token_file="/var/run/modelyard/identities/learn/token",
)
TrustedIdentity(
    "shop.monitor-drift",
    issuer=shop_issuer,
    service_account="monitor-drift",
    access=[{"bucket": "offers-lake-48b581", "prefix": "visits", "mode": "read"}],
)

pulumi.export("shop__monitor_drift_credentials", shop_issuer.credentials)
