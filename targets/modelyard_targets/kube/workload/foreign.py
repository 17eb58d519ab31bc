"""What Pods need to access stores in other clouds: a ServiceAccount token, and the variables libraries read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.manifest import env
from modelyard.stack import Value
from modelyard_targets.kube.data.federated import Federated, federated_of
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.storage.federation import (
    CREDENTIALS_FILE,
    IDENTITIES_FOLDER,
    TOKEN_FILE,
    identity_folder,
)

_VOLUME: Final = "identities"
_TOKEN_S: Final = 3600
"""How long a token is valid.

The kubelet replaces it after four fifths of this time, and libraries read the file again.
"""


def foreign_variables(workload: str, context: Context) -> list[Value]:
    """Return the variables that let a workload's libraries find its identities in other clouds."""
    return [variable for access in federated_of(workload, context) for variable in _variables(access)]


def foreign_volumes(workload: str, context: Context) -> list[Value]:
    """Return the volume with a workload's tokens for other clouds, if it accesses any stores there."""
    sources = [source for access in federated_of(workload, context) for source in _sources(access)]
    return [{"name": _VOLUME, "projected": {"sources": sources}}] if sources else []


def foreign_mounts(workload: str, context: Context) -> list[Value]:
    """Return the mount for the volume with a workload's tokens for other clouds."""
    mount: dict[str, Value] = {"name": _VOLUME, "mountPath": IDENTITIES_FOLDER, "readOnly": True}
    return [mount] if federated_of(workload, context) else []


def _variables(access: Federated) -> Iterator[Value]:
    federation, folder = access.federation, identity_folder(access.target)
    for name, value in federation.variables:
        reference: dict[str, Value] = {"configMapKeyRef": {"name": access.config_map, "key": value}}
        yield {"name": name, "valueFrom": reference}
    if federation.token:
        yield env(federation.token, f"{folder}/{TOKEN_FILE}")
    if federation.file is not None:
        yield env(federation.file[0], f"{folder}/{CREDENTIALS_FILE}")
    if federation.region:
        yield env(federation.region, access.region)


def _sources(access: Federated) -> Iterator[Value]:
    federation = access.federation
    token: dict[str, Value] = {
        "audience": federation.audience,
        "expirationSeconds": _TOKEN_S,
        "path": f"{access.target}/{TOKEN_FILE}",
    }
    yield {"serviceAccountToken": token}
    if federation.file is not None:
        items: list[Value] = [{"key": federation.file[1], "path": f"{access.target}/{CREDENTIALS_FILE}"}]
        yield {"configMap": {"name": access.config_map, "items": items}}
