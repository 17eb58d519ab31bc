"""The protocol of Google Cloud Storage, which Pods open by their identity alone.

Its libraries find the identity by themselves (Application Default Credentials,
docs.cloud.google.com/docs/authentication, read 2026-11-26), so that a Pod needs no variable and no Secret. Buckets are
made by the cloud's program.
"""

from __future__ import annotations

from typing import Final

from modelyard.stack import Value
from modelyard_targets.kube.storage.driver import Driver, Opening


def _nothing(opening: Opening) -> list[Value]:
    return []


GCS: Final = Driver("gs", 443, (), client=_nothing, server=_nothing, maker=_nothing)
