"""Written by modelyard 0.1.0; change the spec, not this file."""

import pulumi
from modelyard_stacks.azure.adopted import AdoptedCluster
from modelyard_stacks.azure.group import ResourceGroup
from modelyard_stacks.azure.identity import Identity
from modelyard_stacks.infrastructure import Infrastructure

group = ResourceGroup(
    "hub",
    region="germanywestcentral",
    group="offers-hub",
    tags={
        "modelyard-system": "offers",
        "modelyard-environment": "default",
        "modelyard-target": "hub",
        "modelyard-owner": "growth",
    },
    adopted=True,
)

learn_infrastructure = Infrastructure("offers-learn-infrastructure", setting="infrastructure-learn")
shop_infrastructure = Infrastructure("offers-shop-infrastructure", setting="infrastructure-shop")

learn_issuer = AdoptedCluster("learn", group=group, cluster_name="learn", issuer=learn_infrastructure["issuer"])
shop_issuer = AdoptedCluster("shop", group=group, cluster_name="shop", issuer=shop_infrastructure["issuer"])
learn__registry_identity = Identity(
    "learn_registry",
    group=group,
    cluster=learn_issuer,
    namespace="offers",
    service_account="registry",
    access=[{"account": "offersruns4ac101b653", "container": "offers-runs", "prefix": "mlflow", "mode": "write"}],
    roles="offers-hub",
)
learn__retrain_identity = Identity(
    "learn_retrain",
    group=group,
    cluster=learn_issuer,
    namespace="offers",
    service_account="retrain",
    access=[
        {
            "account": "offersruns4ac101b653",
            "container": "offers-runs",
            "prefix": "mlflow/models/offers-offer/",
            "mode": "write",
        },
        {
            "account": "offersruns4ac101b653",
            "container": "offers-runs",
            "prefix": "mlflow/logs/retrain",
            "mode": "append",
        },
    ],
    roles="offers-hub",
)
shop__offers_identity = Identity(
    "shop_offers",
    group=group,
    cluster=shop_issuer,
    namespace="offers",
    service_account="offers",
    access=[
        {
            "account": "offersruns4ac101b653",
            "container": "offers-runs",
            "prefix": "mlflow/bundles/offers-offer/champion/",
            "mode": "read",
        },
    ],
    roles="offers-hub",
)
shop__monitor_drift_identity = Identity(
    "shop_monitor-drift",
    group=group,
    cluster=shop_issuer,
    namespace="offers",
    service_account="monitor-drift",
    access=[
        {
            "account": "offersruns4ac101b653",
            "container": "offers-runs",
            "prefix": "mlflow/bundles/offers-offer/champion/",
            "mode": "read",
        },
        {
            "account": "offersruns4ac101b653",
            "container": "offers-runs",
            "prefix": "mlflow/run-requests/offers/default/learn/asked/retrain/drift/",
            "mode": "append",
        },
    ],
    roles="offers-hub",
)
learn__promoter_identity = Identity(
    "learn_promoter",
    group=group,
    cluster=learn_issuer,
    namespace="offers",
    service_account="promoter",
    access=[
        {"account": "offersruns4ac101b653", "container": "offers-runs", "prefix": "mlflow/models/", "mode": "read"},
        {"account": "offersruns4ac101b653", "container": "offers-runs", "prefix": "mlflow/bundles/", "mode": "write"},
    ],
    roles="offers-hub",
)
learn__starter_identity = Identity(
    "learn_starter",
    group=group,
    cluster=learn_issuer,
    namespace="offers",
    service_account="starter",
    access=[
        {
            "account": "offersruns4ac101b653",
            "container": "offers-runs",
            "prefix": "mlflow/run-requests/offers/default/learn/",
            "mode": "write",
        },
    ],
    roles="offers-hub",
)

pulumi.export("learn__registry_client_id", learn__registry_identity.client_id)
pulumi.export("learn__registry_tenant", group.tenant)
pulumi.export("learn__retrain_client_id", learn__retrain_identity.client_id)
pulumi.export("learn__retrain_tenant", group.tenant)
pulumi.export("shop__offers_client_id", shop__offers_identity.client_id)
pulumi.export("shop__offers_tenant", group.tenant)
pulumi.export("shop__monitor_drift_client_id", shop__monitor_drift_identity.client_id)
pulumi.export("shop__monitor_drift_tenant", group.tenant)
pulumi.export("learn__promoter_client_id", learn__promoter_identity.client_id)
pulumi.export("learn__promoter_tenant", group.tenant)
pulumi.export("learn__starter_client_id", learn__starter_identity.client_id)
pulumi.export("learn__starter_tenant", group.tenant)
