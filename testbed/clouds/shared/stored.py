"""An account whose resources are stored in a file, and access to values by nested property path."""

from __future__ import annotations

from typing import Any

from testbed.clouds.shared.store import Store
from testbed.clouds.shared.values import Values


class StoredApi:
    """The API as seen by one account and region. Resources have declared and assigned properties."""

    def __init__(self, account: str, region: str, store: Store) -> None:
        self.account = account
        self.region = region
        self.store = store

    def find(self, kind: str, identifier: str) -> Values | None:
        """Return a resource's declared and assigned properties, or None if the resource doesn't exist."""
        stored = self.store.get(kind, identifier)
        return None if stored is None else merged(stored["declared"], stored["assigned"])

    def all(self, kind: str) -> dict[str, Values]:
        """Return the properties of all resources of a type by ID."""
        return {
            identifier: merged(stored["declared"], stored["assigned"])
            for identifier, stored in self.store.all(kind).items()
        }

    def serial(self) -> int:
        """Return a number that is unique among all calls in this cloud."""
        with self.store.open() as everything:
            counter = everything.setdefault("counter", {"": {"last": 4_000_000_000}})[""]
            counter["last"] += 1
            return int(counter["last"])


def merged(declared: Any, assigned: Any) -> Any:
    """Return declared properties merged with those assigned by the cloud, at every depth."""
    if isinstance(declared, dict) and isinstance(assigned, dict):
        return {
            name: merged(declared[name], assigned[name])
            if name in declared and name in assigned
            else declared.get(name, assigned.get(name))
            for name in {**declared, **assigned}
        }
    return assigned


def at(values: Any, path: str) -> list[Any]:
    """Return all values at a path such as `nodeConfig.taints.key`, descending into lists."""
    current: list[Any] = [values]
    for name in path.split("."):
        inner = [each for value in current for each in (value if isinstance(value, list) else [value])]
        current = [each[name] for each in inner if isinstance(each, dict) and each.get(name) is not None]
    return [each for value in current for each in (value if isinstance(value, list) else [value])]


def put_at(values: Values, path: str, value: Any) -> None:
    """Set the value at a path, and create the objects along the path."""
    *parents, last = path.split(".")
    for parent in parents:
        values = values.setdefault(parent, {})
    values[last] = value
