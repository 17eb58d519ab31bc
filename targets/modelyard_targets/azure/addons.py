"""AKS-specific changes to the common add-ons. AKS has its own autoscaler and GPU drivers, but no GPU device
plugin.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from modelyard.plan import Plan
from modelyard.program import Ref
from modelyard_targets.azure.identities import SECRETS, SECRETS_CLIENT
from modelyard_targets.azure.network_policies import reach_vault
from modelyard_targets.azure.services import secret_store
from modelyard_targets.azure.storage import has_vault
from modelyard_targets.cloud.gpu_addons import GPU_ADDONS, gpu_addons
from modelyard_targets.kube.network.envoy import ENVOY, ENVOY_GATEWAY
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.placement.platform import AddOn, Argument

IDENTITY_LABELS: Final = {"azure.workload.identity/use": "true"}
"""Labels of the Pods that receive a token for Entra ID from the AKS webhook."""

IDENTITY_ANNOTATION: Final = "azure.workload.identity/client-id"
"""ServiceAccount annotation with the managed identity that its Pods act as
(learn.microsoft.com/azure/aks/workload-identity-overview, read 2026-11-25).
"""


def addons_of_nodes(plan: Plan, placement: str) -> tuple[str, ...]:
    """Return the add-ons that the placement's nodes need before any workload runs."""
    return tuple(gpu_addons(plan, placement)) if plan.has_cluster(placement) else ()


def _secrets(context: Context) -> Mapping[str, Argument]:
    """Make External Secrets use its own identity if the target has a vault."""
    if not has_vault(context):
        return {}
    client = Ref("infrastructure", key=SECRETS_CLIENT)
    return {
        "serviceAccount": {"name": SECRETS, "annotations": {IDENTITY_ANNOTATION: client}},
        "podLabels": dict(IDENTITY_LABELS),
    }


INSTALLS: Final[Mapping[str, AddOn]] = {
    **GPU_ADDONS,
    SECRETS: AddOn(values=_secrets, after=secret_store, egress=reach_vault),
    ENVOY: ENVOY_GATEWAY,
}
