"""Creates, changes and deletes resources in a cloud stand-in without a Pulumi engine."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field
from typing import Any, Generic, TypeAlias

from testbed.clouds.shared.lifecycle import Lifecycle
from testbed.clouds.shared.record import CloudApi
from testbed.clouds.shared.values import Values
from tests.narrowing import present

Resource: TypeAlias = tuple[str, str, Values, Values]
"""The type, ID, inputs and state of a resource."""


@dataclass
class World(Generic[CloudApi]):
    """Existing resources by name, deleted in reverse order. Types in `stays` outlive their deletion."""

    lifecycle: Lifecycle[CloudApi]
    stays: Container[str] = ()
    resources: dict[str, Resource] = field(default_factory=dict[str, Resource])

    def make(self, name: str, kind: str, /, **inputs: Any) -> Values:
        """Create a resource, and assert that its state agrees with its inputs."""
        checked, failures = self.lifecycle.check(kind, name, {}, inputs, name.encode())
        assert failures == []
        identifier, state = self.lifecycle.create(kind, checked)
        self.resources[name] = (kind, identifier, checked, state)
        self._steady(name)
        return {**state, "id": identifier}

    def change(self, name: str, /, **inputs: Any) -> tuple[list[str], Values]:
        """Update a resource in place. Return the properties that the provider reports as changed, and the new state."""
        kind, identifier, before, state = self.resources[name]
        checked, _ = self.lifecycle.check(kind, name, before, {**before, **inputs}, b"")
        changed, replaced, _ = self.lifecycle.diff(kind, before, state, checked)
        assert replaced == []
        after = self.lifecycle.update(kind, identifier, state, checked)
        self.resources[name] = (kind, identifier, checked, after)
        self._steady(name)
        return changed, after

    def replaced_by(self, name: str, /, **inputs: Any) -> list[str]:
        """Return the changed properties that would make the provider replace a resource."""
        kind, _, before, state = self.resources[name]
        return self.lifecycle.diff(kind, before, state, {**before, **inputs})[1]

    def remove(self, name: str) -> None:
        """Delete a resource and check that it no longer exists."""
        kind, identifier, inputs, state = self.resources[name]
        self.lifecycle.delete(kind, identifier, state)
        del self.resources[name]
        if kind not in self.stays:
            assert self.lifecycle.read(kind, identifier, state, inputs) is None, name

    def _steady(self, name: str) -> None:
        kind, identifier, inputs, state = self.resources[name]
        current = present(self.lifecycle.read(kind, identifier, state, inputs))
        assert current[1] == inputs, name
        assert self.lifecycle.diff(kind, current[1], current[0], inputs) == ([], [], False), name
