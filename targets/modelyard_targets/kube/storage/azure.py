"""The driver for Azure Blob Storage, where Pods authenticate with their identity.

Addresses contain the account and the container: `abfss://container@account.dfs.core.windows.net/path`. The client
libraries find the identity themselves, so Pods need no variables and no Secret, and MLflow needs no account key
(azure_data_lake_artifact_repo.py of MLflow 3.17, read 2026-11-26). The cloud's program creates the containers.
"""

from __future__ import annotations

from typing import Final

from modelyard.stack import Value
from modelyard_targets.kube.storage.driver import Driver, Opening


def _nothing(opening: Opening) -> list[Value]:
    return []


AZURE: Final = Driver(
    "abfss", 443, (), client=_nothing, server=_nothing, maker=_nothing, domain=".dfs.core.windows.net"
)
