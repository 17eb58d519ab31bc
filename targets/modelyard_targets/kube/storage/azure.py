"""The protocol of Azure's Blob Storage, which Pods open by their identity alone.

An account is named beside each container: `abfss://container@account.dfs.core.windows.net/path`. The libraries find the
identity by themselves, so that a Pod needs no variable and no Secret; MLflow opens such addresses with no key of the
account (azure_data_lake_artifact_repo.py of MLflow 3.17, read 2026-11-26). Containers are made by the cloud's program.
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
