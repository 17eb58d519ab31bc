"""A system on a shared GKE cluster, including what the projects create for it and its secret store."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.program import Call, Literal, Ref
from modelyard.spec import target_path
from modelyard_targets.cloud.existing_platform import account_reference, secrets_account
from modelyard_targets.cloud.pools import training_pools
from modelyard_targets.cloud.services import secrets_store
from modelyard_targets.gcp.addons import PROMETHEUS
from modelyard_targets.gcp.foundation import GROUP, key_call, project_call
from modelyard_targets.gcp.identities import SECRETS
from modelyard_targets.gcp.names import cluster_name
from modelyard_targets.gcp.network_policies import GOOGLE_APIS, reach_google
from modelyard_targets.gcp.options import options_of
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.placement.platform import AddOn, Argument


def existing_calls(context: Context) -> Iterator[Call]:
    """Yield the components for the project, the system's data key, and the cluster lookup.

    The lookup includes the cluster's network.
    """
    name, here = cluster_name(context.system, context.placement), target_path(context.system, context.placement)
    location = options_of(context.target).cluster.location
    together = training_pools(context.plan, context.placement)
    yield project_call(context)
    yield key_call(context)
    adopted: tuple[tuple[str, Literal], ...] = (
        ("project", Ref("project")),
        ("cluster", context.target.cluster.adopt),
        *((("location", location),) if location else ()),
        *((("training_pools", together),) if together else ()),
    )
    network = (("cluster", Ref("cluster")), ("google_ranges", GOOGLE_APIS))
    yield Call("cluster", "ExistingCluster", name, adopted, GROUP, (*here, "cluster"))
    yield Call("network", "ClusterNetwork", name, network, GROUP, (*here, "cluster"))


def late_objects(context: Context) -> Iterator[Call]:
    """Yield the ServiceAccount that reads the system's secrets, and the secret store using it.

    The ServiceAccount doesn't need an annotation, because IAM identifies it by project, namespace and name.
    """
    yield from secrets_account(context, {})
    options = options_of(context.target)
    project = Ref("infrastructure", key="project")
    identity: dict[str, Argument] = {
        "clusterLocation": options.cluster.location or context.target.region,
        "clusterName": context.target.cluster.adopt,
        "clusterProjectID": project,
        "serviceAccountRef": account_reference(context),
    }
    provider: dict[str, Argument] = {"projectID": project, "auth": {"workloadIdentity": identity}}
    yield from secrets_store(context, {"gcpsm": provider})


INSTALLS: Final = {SECRETS: AddOn(egress=reach_google), "prometheus": PROMETHEUS}
