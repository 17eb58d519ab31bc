"""The lifecycle of described resource types, with one API for all regions and changes to nested properties."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Generic

from testbed.clouds.shared.kinds import Kind, Stored
from testbed.clouds.shared.lifecycle import Lifecycle, plain
from testbed.clouds.shared.refusal import Refused
from testbed.clouds.shared.stand_in import StandIn
from testbed.clouds.shared.stored import at, merged, put_at
from testbed.clouds.shared.values import UNKNOWN, Values, same


class DescribedLifecycle(Lifecycle[Stored], Generic[Stored]):
    """The provider for one account. Its types are described by `Kind`."""

    silent: ClassVar[frozenset[str]] = frozenset({"__defaults", "timeouts"})
    provided: ClassVar[frozenset[str]] = frozenset()
    """Properties in the provider's state that no call sends."""

    def __init__(self, stand_in: StandIn[Stored], kinds: Mapping[str, Kind[Stored]], folder: Path) -> None:
        super().__init__(stand_in, folder)
        self._kinds = kinds
        self._folder = folder
        self._account: Stored | None = None

    @abstractmethod
    def configure(self, settings: Mapping[str, Any]) -> None:
        """Apply the provider's settings, whose nested values are JSON, and set the account."""

    def api(self, region: str) -> Stored:
        """Return the account's API, which is the same in every region."""
        if self._account is None:
            raise Refused("InvalidConfig", "the provider is not configured")
        return self._account

    def diff(self, kind: str, inputs: Values, olds: Values, news: Values) -> tuple[list[str], list[str], bool]:
        """Return the changed properties, the paths that require a replacement, and the order of deletion.

        The last value says whether the old resource is deleted before the new one is created.
        """
        paths = [path for path in changed(inputs, news, self.provided) if path.partition(".")[0] not in self.silent]
        names = [*sorted({path.partition(".")[0] for path in paths}), *self.also_changed(kind, olds, news)]
        replaced = [path for path in paths if is_below(path, self._kinds[kind].fixed)]
        for path, judged in self._kinds[kind].replaced_if.items():
            if path in paths and judged(inputs.get(path), news.get(path)):
                replaced.append(path)
        return names, replaced, bool(replaced) and self.deletes_first(kind, names, news)

    def also_changed(self, kind: str, olds: Values, news: Values) -> list[str]:
        """Return changed properties that are not inputs."""
        return []

    def deletes_first(self, kind: str, names: list[str], news: Values) -> bool:
        """Return whether the old resource must be deleted first because the new one has the same name."""
        naming = self._kinds[kind].naming
        return naming is not None and naming.name not in news.get("__defaults", ()) and naming.name not in names

    def promised(self, kind: str, inputs: Values) -> Values:
        """Return the properties a preview can predict for a resource that doesn't exist yet."""
        return plain(inputs)

    def previewed(self, kind: str, inputs: Values) -> Values:
        """Return the promised properties, with unknown values for nested properties assigned by the cloud."""
        properties: Values = merged(self.promised(kind, inputs), _unknown(self._kinds[kind].computed))
        return properties

    def promised_update(self, kind: str, olds: Values, news: Values) -> Values:
        """Return the properties a preview can predict for a resource that will change."""
        computed: Values = {}
        for path in self._kinds[kind].computed:
            for value in at(olds, path):
                put_at(computed, path, value)
        return {**olds, **merged(self.promised(kind, news), computed)}


def changed(before: Any, after: Any, ignored: frozenset[str] = frozenset(), path: str = "") -> Iterator[str]:
    """Yield the paths of differing properties, down to the innermost objects. Lists are compared as a whole."""
    if same(before, after):
        return
    if not isinstance(before, dict) and not isinstance(after, dict):
        yield path
        return
    old, new = (value if isinstance(value, dict) else {} for value in (before, after))
    for name in sorted({*old, *new} - ignored):
        yield from changed(old.get(name), new.get(name), ignored, f"{path}.{name}".lstrip("."))


def is_below(path: str, paths: frozenset[str]) -> bool:
    """Return whether a path is the same as or below one of the given paths."""
    return any(path == each or path.startswith(f"{each}.") for each in paths)


def _unknown(paths: frozenset[str]) -> Values:
    """Return an object with an unknown value at each of the given paths."""
    unknown: Values = {}
    for path in paths:
        put_at(unknown, path, UNKNOWN)
    return unknown
