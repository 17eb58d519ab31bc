"""How Google's provider differs: one API for all regions, labels, and changes to nested properties."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from testbed.clouds.gcp.api import Api
from testbed.clouds.gcp.kinds import PROVIDED
from testbed.clouds.gcp.table import KINDS
from testbed.clouds.shared.described import DescribedLifecycle
from testbed.clouds.shared.lifecycle import plain
from testbed.clouds.shared.refusal import Refused
from testbed.clouds.shared.stand_in import StandIn
from testbed.clouds.shared.values import Values


class GoogleLifecycle(DescribedLifecycle[Api]):
    """The provider of one project."""

    provided: ClassVar[frozenset[str]] = PROVIDED

    def __init__(self, stand_in: StandIn[Api], folder: Path) -> None:
        super().__init__(stand_in, KINDS, folder)

    def configure(self, settings: Mapping[str, Any]) -> None:
        """Apply the provider's settings, whose nested values are JSON."""
        project = str(settings.get("project") or "")
        if not project:
            raise Refused("InvalidConfig", "project: required field is not set")
        labels = settings.get("defaultLabels")
        self._tags = json.loads(labels) if isinstance(labels, str) else labels or {}
        self._account = Api.at(self._folder, project, str(settings.get("region") or ""))

    def also_changed(self, kind: str, olds: Values, news: Values) -> list[str]:
        """Return the provider's own labels, if they changed."""
        if KINDS[kind].labels and "pulumiLabels" in olds and olds["pulumiLabels"] != self._labels(kind, news):
            return ["effectiveLabels", "pulumiLabels"]
        return []

    def promised(self, kind: str, inputs: Values) -> Values:
        """Return the properties a preview can predict for a resource that doesn't exist yet."""
        values = plain(inputs)
        if not KINDS[kind].labels:
            return values
        labels = self._labels(kind, inputs)
        return {**values, "effectiveLabels": labels, "pulumiLabels": labels}

    def _labels(self, kind: str, inputs: Values) -> dict[str, str]:
        return {**self._tags, **(inputs.get(KINDS[kind].labels) or {})}
