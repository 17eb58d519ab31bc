"""An adopted cluster as a platform for the workloads project: the cloud's, minus what the owner manages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from modelyard.manifest import labels
from modelyard.plan import Plan
from modelyard.program import Call
from modelyard.records import replace
from modelyard_targets.cloud.existing import SECRETS_ACCOUNT, creates_pools
from modelyard_targets.cloud.services import has_own_store, program_object
from modelyard_targets.kube.access.secrets import own_kind
from modelyard_targets.kube.existing.capacity import quota
from modelyard_targets.kube.placement import platform as defaults
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.placement.placed import target_of
from modelyard_targets.kube.placement.platform import AddOn, Argument, Platform


def platform_on_existing(platform: Platform, installs: Mapping[str, AddOn]) -> Platform:
    """Return a cloud's platform for an adopted cluster.

    The cluster's owner manages its nodes, storage classes, gateway classes and Pods in kube-system. `installs` are the
    add-ons that differ from those for other clusters.
    """
    return replace(
        platform,
        quota=quota,
        target=defaults.as_written,
        addons=defaults.no_addons,
        installs=installs,
        foundation=defaults.no_calls,
        machines=defaults.no_machines,
        policies=defaults.no_objects,
        gateway_class="",
        gateway_controller="",
        gateway_parameters={},
        gateway_annotations=defaults.no_annotations,
        gateway_namespace="",
    )


def platform_of(plan: Plan, placement: str, created: Platform, existing: Platform) -> Platform:
    """Return the platform of a placement, in either a created or an adopted cluster.

    In an adopted cluster, the system's own node pools need the same objects as in a created one.
    """
    if not target_of(plan, placement).cluster.adopt:
        return created
    if creates_pools(plan, placement):
        return replace(existing, machines=created.machines, meaningless_alerts=created.meaningless_alerts)
    return existing


def secrets_account(context: Context, annotations: Mapping[str, Argument]) -> Iterator[Call]:
    """Yield the ServiceAccount of the system's own secret store, if it has one."""
    if not has_own_store(context):
        return
    document: dict[str, Argument] = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {
            "name": SECRETS_ACCOUNT,
            "namespace": context.namespace,
            "labels": labels(context.system.metadata.name, SECRETS_ACCOUNT, component="secret"),
            **({"annotations": annotations} if annotations else {}),
        },
        "automountServiceAccountToken": False,
    }
    yield program_object("secrets_account", f"{context.namespace}/{SECRETS_ACCOUNT}", document, "network")


def account_reference(context: Context) -> dict[str, str]:
    """Return the secret store's ServiceAccount reference, omitting the namespace if the store is namespaced."""
    place = {"namespace": context.namespace} if own_kind(context) == "ClusterSecretStore" else {}
    return {"name": SECRETS_ACCOUNT, **place}
