"""What Google's provider does differently: one API for all regions, labels, and changes of nested properties."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from testbed.clouds.gcp.api import Api, at, merged
from testbed.clouds.gcp.kinds import PROVIDED
from testbed.clouds.gcp.table import KINDS
from testbed.clouds.shared.lifecycle import Lifecycle, plain
from testbed.clouds.shared.refusal import Refused
from testbed.clouds.shared.stand_in import StandIn
from testbed.clouds.shared.values import UNKNOWN, Values, same


class GoogleLifecycle(Lifecycle[Api]):
    """The provider of one project."""

    silent: ClassVar[frozenset[str]] = frozenset({"__defaults", "timeouts"})

    def __init__(self, stand_in: StandIn[Api], folder: Path) -> None:
        super().__init__(stand_in, folder)
        self._folder = folder
        self._project: Api | None = None

    def configure(self, settings: Mapping[str, Any]) -> None:
        """Apply the provider's settings, whose nested values are JSON."""
        project = str(settings.get("project") or "")
        if not project:
            raise Refused("InvalidConfig", "project: required field is not set")
        labels = settings.get("defaultLabels")
        self._tags = json.loads(labels) if isinstance(labels, str) else labels or {}
        self._project = Api.at(self._folder, project, str(settings.get("region") or ""))

    def api(self, region: str) -> Api:
        """Return the project's API, which is the same in every region."""
        if self._project is None:
            raise Refused("InvalidConfig", "the provider is not configured")
        return self._project

    def diff(self, kind: str, inputs: Values, olds: Values, news: Values) -> tuple[list[str], list[str], bool]:
        """Return the changed properties, the paths that require a replacement, and whether to delete first."""
        paths = [path for path in changed(inputs, news) if path.partition(".")[0] not in self.silent]
        names = sorted({path.partition(".")[0] for path in paths})
        if KINDS[kind].labels and "pulumiLabels" in olds and olds["pulumiLabels"] != self._labels(kind, news):
            names += ["effectiveLabels", "pulumiLabels"]
        replaced = [path for path in paths if _is_fixed(path, KINDS[kind].fixed)]
        for path, judged in KINDS[kind].replaced_if.items():
            if path in paths and judged(inputs.get(path), news.get(path)):
                replaced.append(path)
        naming = KINDS[kind].naming
        own_name = naming is not None and naming.name not in news.get("__defaults", ()) and naming.name not in names
        return names, replaced, bool(replaced) and own_name

    def promised(self, kind: str, inputs: Values) -> Values:
        """Return the properties that a preview can predict for a resource that does not exist yet."""
        values = plain(inputs)
        if not KINDS[kind].labels:
            return values
        labels = self._labels(kind, inputs)
        return {**values, "effectiveLabels": labels, "pulumiLabels": labels}

    def previewed(self, kind: str, inputs: Values) -> Values:
        """Return promised properties in which nested ones that Google assigns are unknown."""
        shown: Values = merged(self.promised(kind, inputs), _unknown(KINDS[kind].computed))
        return shown

    def promised_update(self, kind: str, olds: Values, news: Values) -> Values:
        """Return the properties that a preview can predict for a resource that will change."""
        kept: Values = {}
        for path in KINDS[kind].computed:
            for value in at(olds, path):
                _set(kept, path, value)
        return {**olds, **merged(self.promised(kind, news), kept)}

    def _labels(self, kind: str, inputs: Values) -> dict[str, str]:
        return {**self._tags, **(inputs.get(KINDS[kind].labels) or {})}


def changed(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """Yield the paths of the innermost objects' properties that differ. Lists are compared as a whole."""
    if same(before, after):
        return
    if not isinstance(before, dict) and not isinstance(after, dict):
        yield path
        return
    old, new = (value if isinstance(value, dict) else {} for value in (before, after))
    for name in sorted({*old, *new} - PROVIDED):
        yield from changed(old.get(name), new.get(name), f"{path}.{name}".lstrip("."))


def _is_fixed(path: str, fixed: frozenset[str]) -> bool:
    return any(path == each or path.startswith(f"{each}.") for each in fixed)


def _unknown(paths: frozenset[str]) -> Values:
    """Return unknown values at these paths."""
    unknown: Values = {}
    for path in paths:
        _set(unknown, path, UNKNOWN)
    return unknown


def _set(values: Values, path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for parent in parents:
        values = values.setdefault(parent, {})
    values[last] = value
