"""GKE-specific changes to common add-ons. GKE has its own autoscaler, GPU device plugin and GPU drivers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from modelyard_targets.gcp.identities import SECRETS
from modelyard_targets.gcp.names import secrets_account
from modelyard_targets.gcp.network_policies import reach_google
from modelyard_targets.gcp.services import secret_store
from modelyard_targets.kube.network.envoy import ENVOY, ENVOY_GATEWAY
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.placement.platform import AddOn, Argument


def _secrets(context: Context) -> Mapping[str, Argument]:
    """Set the ServiceAccount name of External Secrets. The infrastructure project grants it access to secrets."""
    return {"serviceAccount": {"name": secrets_account(context.system, context.placement)}}


def _prometheus(context: Context) -> Mapping[str, Argument]:
    """Don't scrape CoreDNS. GKE uses kube-dns, so an alert would always report CoreDNS as missing."""
    return {"coreDns": {"enabled": False}}


PROMETHEUS: Final = AddOn(values=_prometheus)

INSTALLS: Final[Mapping[str, AddOn]] = {
    SECRETS: AddOn(values=_secrets, after=secret_store, egress=reach_google),
    ENVOY: ENVOY_GATEWAY,
    "prometheus": PROMETHEUS,
}
