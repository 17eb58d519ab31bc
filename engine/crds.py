"""Custom resource definitions for a bare API server, so that it judges every kind that a system may use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from engine import build
from engine.kubectl import Kubectl
from engine.places import REPOSITORY

_OPERATORS = {
    "github.com/prometheus-operator/prometheus-operator@v0.93.1": (
        "example/prometheus-operator-crd/monitoring.coreos.com_alertmanagerconfigs.yaml",
    ),
    "github.com/cloudnative-pg/cloudnative-pg@v1.28.0": ("config/crd/bases/postgresql.cnpg.io_clusters.yaml",),
    "github.com/external-secrets/external-secrets@v1.3.2": (
        "config/crds/bases/external-secrets.io_externalsecrets.yaml",
        "config/crds/bases/external-secrets.io_secretstores.yaml",
        "config/crds/bases/external-secrets.io_clustersecretstores.yaml",
    ),
}
"""Definitions that are always read from the projects' own Go modules."""

_FALLBACK = {
    "github.com/ray-project/kuberay/ray-operator@v1.5.0": (
        "config/crd/bases/ray.io_rayclusters.yaml",
        "config/crd/bases/ray.io_rayjobs.yaml",
        "config/crd/bases/ray.io_rayservices.yaml",
    ),
    "sigs.k8s.io/gateway-api@v1.4.1": ("config/crd/standard",),
    "github.com/prometheus-operator/prometheus-operator@v0.93.1": (
        "example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml",
        "example/prometheus-operator-crd/monitoring.coreos.com_probes.yaml",
        "example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml",
        "example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml",
    ),
}
"""Definitions that are read from Go modules where no folder is given: KubeRay's newest module is two minors old."""


def given_folder() -> Path | None:
    """The folder of definitions that $MODELYARD_CRDS names, or that lies beside the repository."""
    named = os.environ.get("MODELYARD_CRDS")
    folder = Path(named) if named else REPOSITORY.parent / "shared" / "reference" / "crds"
    return folder if folder.is_dir() else None


def paths() -> Iterator[Path]:
    """The files and folders of all definitions."""
    given = given_folder()
    if given:
        yield from sorted(folder for folder in given.iterdir() if folder.is_dir())
    for modules in (_OPERATORS,) if given else (_OPERATORS, _FALLBACK):
        for module, inside in modules.items():
            yield from (build.download(module) / path for path in inside)


def install(kubectl: Kubectl) -> None:
    """Installs all definitions and waits until the API server serves them."""
    for path in paths():
        kubectl.apply(path)
    kubectl.run("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
