"""Written by modelyard 0.1.0; change the spec, not this file."""

import pulumi
from modelyard_stacks.azure.group import ResourceGroup
from modelyard_stacks.azure.key import Key
from modelyard_stacks.azure.roles import StoreRoles
from modelyard_stacks.azure.storage import ObjectStore

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
)
key = Key("offers-hub", group=group)

runs_store = ObjectStore(
    "runs",
    group=group,
    key=key,
    account="offersruns4ac101b653",
    container="offers-runs",
    versioned=True,
    expire={"mlflow/logs": 90},
)

roles = StoreRoles("offers-hub", group=group)

pulumi.export("region", group.region_name)
pulumi.export("group", group.group_name)
