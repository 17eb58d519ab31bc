"""Descriptions of resource types whose state is in a file, and their records for the provider's lifecycle."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeAlias, TypeVar

from testbed.clouds.shared.record import Naming, Record
from testbed.clouds.shared.refusal import Refused
from testbed.clouds.shared.stored import StoredApi, at
from testbed.clouds.shared.values import Values

Stored = TypeVar("Stored", bound=StoredApi)

Assign: TypeAlias = Callable[[Stored, Values, Values], Values]
"""Returns the properties that the cloud assigns, given the declared properties and, on update, the previously assigned
properties.
"""

Rule: TypeAlias = Callable[[Stored, Values], None]
"""Raises Refused for properties that the cloud refuses. Each rule's docstring has its source and date."""

Guard: TypeAlias = Callable[[Stored, str, Values], None]
"""Raises Refused if a resource with this ID and these last known properties must not be deleted."""


def _nothing(api: StoredApi, values: Values, before: Values) -> Values:
    return {}


def _done(api: StoredApi, identifier: str) -> None:
    """Do nothing after a change to a resource."""


@dataclass(frozen=True)
class Kind(Generic[Stored]):
    """A resource type.

    `path` is the template for its ID, filled with declared and assigned properties. `service` must be enabled. Changing
    a path in `fixed` always requires a replacement, whereas a path in `replaced_if` requires one only for some values.
    `client` properties are instructions for the provider. `references` are the types that a property refers to.
    `blocked_by` are the types whose references prevent a deletion. `contains` are the types that are deleted with the
    resource. `computed` are the nested paths of assigned properties, which a preview doesn't know. A resource that
    `stays` is merely forgotten on deletion, and an existing `shared` resource is adopted. `after` runs after each
    change.
    """

    path: str
    service: str
    fixed: frozenset[str] = frozenset()
    replaced_if: Mapping[str, Callable[[Any, Any], bool]] = field(default_factory=dict[str, Callable[[Any, Any], bool]])
    naming: Naming | None = None
    client: frozenset[str] = frozenset()
    assign: Assign[Stored] = _nothing
    references: Mapping[str, str] = field(default_factory=dict[str, str])
    rules: tuple[Rule[Stored], ...] = ()
    guards: tuple[Guard[Stored], ...] = ()
    blocked_by: tuple[str, ...] = ()
    contains: tuple[str, ...] = ()
    computed: frozenset[str] = frozenset()
    stays: Callable[[Values], bool] = lambda values: False
    shared: bool = False
    exists: str = "The resource '{}' already exists, alreadyExists"
    after: Callable[[Stored, str], None] = _done


class Cloud(ABC, Generic[Stored]):
    """What a cloud does with resources of its types, and the wording of its errors."""

    @property
    @abstractmethod
    def kinds(self) -> Mapping[str, Kind[Stored]]:
        """The cloud's resource types, by Pulumi's type token."""

    @abstractmethod
    def admit(self, api: Stored, token: str, declared: Values) -> None:
        """Reject calls that the API's description of this type does not allow."""

    @abstractmethod
    def identify(self, api: Stored, token: str, values: Values) -> str:
        """Return the ID of a resource with the given properties."""

    @abstractmethod
    def referenced_id(self, api: Stored, token: str, name: str, values: Values) -> str:
        """Return the ID of the resource of this type that another resource's property refers to."""

    @abstractmethod
    def missing(self, identifier: str) -> Refused:
        """Return the error for a resource that does not exist."""

    @abstractmethod
    def already_exists(self, token: str, identifier: str) -> Refused:
        """Return the error for a resource that already exists."""

    @abstractmethod
    def in_use(self, token: str, identifier: str, user: str) -> Refused:
        """Return the error for deleting a resource that another resource uses."""

    def sent(self, token: str, values: Values) -> Values:
        """Return the properties sent by a call to the cloud, which a provider may store in a different form."""
        return values

    def links(self, token: str, identifier: str) -> Values:
        """Return the assigned properties that every resource has."""
        return {}

    def provider_view(self, token: str, current: Values, values: Values) -> Values:
        """Return a resource's current properties in the form returned by the provider."""
        return current

    def changing(self, api: Stored, token: str, identifier: str, before: Values, declared: Values) -> None:
        """Reject an impossible in-place change that the provider tries to make."""

    def records(self) -> Mapping[str, Record[Stored]]:
        """Return the `Record` for each type."""
        return {token: self.record(token) for token in self.kinds}

    def record(self, token: str) -> Record[Stored]:
        """Return the `Record` for a type."""
        kind = self.kinds[token]

        def create(api: Stored, values: Values) -> str:
            declared = self.sent(token, values)
            self._check(api, token, declared)
            assigned = kind.assign(api, declared, {})
            identifier = self.identify(api, token, {**declared, **assigned})
            if not kind.shared and api.store.get(token, identifier) is not None:
                raise self.already_exists(token, identifier)
            self._store(api, token, identifier, declared, assigned)
            return identifier

        def read(api: Stored, identifier: str, values: Values) -> Values | None:
            current = api.find(token, identifier)
            return None if current is None else self.provider_view(token, current, values)

        def update(api: Stored, identifier: str, olds: Values, values: Values) -> None:
            stored = api.store.get(token, identifier)
            if stored is None:
                raise self.missing(identifier)
            declared = self.sent(token, values)
            self.changing(api, token, identifier, stored["declared"], declared)
            self._check(api, token, declared)
            assigned = {**stored["assigned"], **kind.assign(api, declared, stored["assigned"])}
            self._store(api, token, identifier, declared, assigned)

        def delete(api: Stored, identifier: str, values: Values) -> None:
            current = api.find(token, identifier)
            if current is None:
                raise self.missing(identifier)
            if values.get("deletionPolicy") == "ABANDON":
                return
            for guard in kind.guards:
                guard(api, identifier, {**current, **values})
            if kind.stays(values):
                return
            for other in kind.blocked_by:
                self._unused(api, token, identifier, other)
            self.remove(api, token, identifier)
            kind.after(api, identifier)

        return Record(
            create,
            read,
            delete,
            update,
            fixed=kind.fixed,
            steering=kind.client | {"deletionPolicy"},
            naming=kind.naming,
        )

    def remove(self, api: Stored, token: str, identifier: str) -> None:
        """Remove a resource and the resources that it contains."""
        for other in self.kinds[token].contains:
            for inner, values in api.all(other).items():
                if self.holds(api, token, identifier, other, inner, values):
                    self.remove(api, other, inner)
                    self.kinds[other].after(api, inner)
        api.store.take(token, identifier)

    def holds(self, api: Stored, token: str, identifier: str, other: str, inner: str, values: Values) -> bool:
        """Return whether a resource contains another. By default, it does if the other one refers to it."""
        return identifier in self._targets(api, other, values, token)

    def _store(self, api: Stored, token: str, identifier: str, declared: Values, assigned: Values) -> None:
        stored = {name: value for name, value in declared.items() if name not in self.kinds[token].client}
        api.store.put(
            token, identifier, {"declared": stored, "assigned": {**assigned, **self.links(token, identifier)}}
        )
        self.kinds[token].after(api, identifier)

    def _check(self, api: Stored, token: str, declared: Values) -> None:
        """Reject properties not allowed by the API's description or the type's references and rules."""
        kind = self.kinds[token]
        self.admit(api, token, declared)
        for path, other in kind.references.items():
            for name in at(declared, path):
                target = self.referenced_id(api, other, str(name), declared)
                if api.store.get(other, target) is None:
                    raise self.missing(target)
        for rule in kind.rules:
            rule(api, declared)

    def _targets(self, api: Stored, other: str, values: Values, token: str) -> set[str]:
        """Return the IDs of the resources of type `token` that a resource of type `other` refers to."""
        paths = [path for path, named_type in self.kinds[other].references.items() if named_type == token]
        return {self.referenced_id(api, token, str(name), values) for path in paths for name in at(values, path)}

    def _unused(self, api: Stored, token: str, identifier: str, other: str) -> None:
        for user, values in api.all(other).items():
            if identifier in self._targets(api, other, values, token):
                raise self.in_use(token, identifier, user)
