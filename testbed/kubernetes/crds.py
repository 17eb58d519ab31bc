"""Custom resource definitions that let a bare API server validate every kind a system may use."""

from __future__ import annotations

import os
from pathlib import Path

from testbed import build, parts
from testbed.kubernetes.kubectl import Kubectl

PROMETHEUS_OPERATOR = f"github.com/prometheus-operator/prometheus-operator@{parts.PROMETHEUS_OPERATOR}"

_OPERATORS = {
    PROMETHEUS_OPERATOR: ("example/prometheus-operator-crd/monitoring.coreos.com_alertmanagerconfigs.yaml",),
    "github.com/cloudnative-pg/cloudnative-pg@v1.28.0": ("config/crd/bases/postgresql.cnpg.io_clusters.yaml",),
    "github.com/external-secrets/external-secrets@v1.3.2": (
        "config/crds/bases/external-secrets.io_externalsecrets.yaml",
        "config/crds/bases/external-secrets.io_secretstores.yaml",
        "config/crds/bases/external-secrets.io_clustersecretstores.yaml",
    ),
    "github.com/envoyproxy/gateway@v1.9.0": (
        "charts/gateway-helm/charts/crds/crds/generated/gateway.envoyproxy.io_envoyproxies.yaml",
    ),
}
"""The files with add-ons' definitions, by Go module. They are used even if a folder of definitions is given."""

_FALLBACK = {
    "github.com/ray-project/kuberay/ray-operator@v1.6.2": (
        "config/crd/bases/ray.io_rayclusters.yaml",
        "config/crd/bases/ray.io_rayjobs.yaml",
        "config/crd/bases/ray.io_rayservices.yaml",
    ),
    "sigs.k8s.io/gateway-api@v1.4.1": ("config/crd/standard/*.yaml",),
    "github.com/aws/karpenter-provider-aws@v1.14.1": (
        "pkg/apis/crds/karpenter.k8s.aws_ec2nodeclasses.yaml",
        "pkg/apis/crds/karpenter.sh_nodepools.yaml",
    ),
    PROMETHEUS_OPERATOR: (
        "example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml",
        "example/prometheus-operator-crd/monitoring.coreos.com_probes.yaml",
        "example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml",
        "example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml",
    ),
}
"""The files with definitions to use if no folder is given, by Go module. The newest KubeRay there is one minor version
older than the version that we emit.
"""


def given_folder() -> Path | None:
    """Return the definitions folder named in $MODELYARD_CRDS, or None if it isn't set."""
    folder = os.environ.get("MODELYARD_CRDS")
    return Path(folder) if folder else None


def files() -> list[Path]:
    """Return the definition files (Ray, Gateway API, Prometheus and more) in the given folder or Go modules."""
    folder = given_folder()
    return sorted(folder.glob("*/*.yaml")) if folder else _of_modules(_FALLBACK)


def install(kubectl: Kubectl) -> None:
    """Install all definitions, including those of add-ons, and wait until the API server serves them."""
    kubectl.apply(*files(), *_of_modules(_OPERATORS))
    kubectl.run("wait", "--for=condition=Established", "crd", "--all", "--timeout=240s")


def _of_modules(modules: dict[str, tuple[str, ...]]) -> list[Path]:
    return [
        file
        for module, patterns in modules.items()
        for pattern in patterns
        for file in sorted(build.download(module).glob(pattern))
    ]
