"""Versions of software managed by Google Cloud: Kubernetes and PostgreSQL. The table lists sources and dates."""

from __future__ import annotations

import os
from typing import Final

from modelyard.spec import TargetSpec
from modelyard_targets.cloud.versions import versions_in

_FOLDER: Final = os.path.dirname(__file__)


def kubernetes_versions() -> tuple[str, ...]:
    """Return the supported Kubernetes minor versions, newest first."""
    return versions_in(_FOLDER).kubernetes


def version_of(target: TargetSpec) -> str:
    """Return the Kubernetes minor version of a target's cluster."""
    return versions_in(_FOLDER).of(target)


def postgresql_version() -> str:
    """Return the PostgreSQL major version. Cloud SQL applies minor upgrades in its maintenance window."""
    return versions_in(_FOLDER).postgresql
