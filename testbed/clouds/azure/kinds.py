"""Descriptions of Azure resource types, and how Azure Resource Manager treats them."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from testbed.clouds.azure.api import Api, last, not_found, refused
from testbed.clouds.azure.arm import RESOURCES
from testbed.clouds.azure.bicep import faults
from testbed.clouds.shared import kinds as shared
from testbed.clouds.shared.described import changed, is_below
from testbed.clouds.shared.record import Naming, Record
from testbed.clouds.shared.refusal import Refused
from testbed.clouds.shared.values import Values

Rule: TypeAlias = shared.Rule[Api]
Guard: TypeAlias = shared.Guard[Api]

GROUP = "azure-native:resources:ResourceGroup"
LONGEST_WRITE_S = 0.05
"""The simulated duration of a write in a parent resource for which Azure allows only one write at a time."""


@dataclass(frozen=True)
class Kind(shared.Kind[Api]):
    """A resource type.

    `frozen` paths can only be set on creation: the provider tries to change them, and Azure rejects the change. `busy`
    is the error for a write inside a parent while another write there is in progress. `used` is the error for deleting
    a resource that another resource uses.
    """

    frozen: frozenset[str] = frozenset()
    busy: tuple[int, str, str] | None = None
    used: tuple[int, str, str] = (409, "Conflict", "{0} is used by {1}.")


@dataclass(frozen=True, slots=True)
class _GuidNaming(Naming):
    """Names a resource, such as a role assignment, by a GUID."""

    def physical_name(self, logical: str, random: str, values: Mapping[str, Any]) -> str:
        """Return a random GUID."""
        return "-".join((random[:8], random[8:12], f"4{random[13:16]}", f"8{random[17:20]}", random[20:32]))


def kind(token: str, *, tracked: bool = True, longest: int = 128, is_guid: bool = False, **described: Any) -> Kind:
    """Describe a resource type. The resource's name, its parents' names and any location can't be changed."""
    arm = RESOURCES[token]
    fixed = {arm.name, *arm.path, *(["location"] if tracked else []), *described.pop("fixed", ())}
    naming = (_GuidNaming if is_guid else Naming)(arm.name, longest, separator="", digits=8)
    return Kind(arm.template, arm.kind.partition("/")[0], frozenset(fixed), naming=naming, **described)


@dataclass(frozen=True)
class Azure(shared.Cloud[Api]):
    """Azure, with the errors of its Resource Manager."""

    described: Mapping[str, Kind] = field(default_factory=dict[str, Kind])

    @property
    def kinds(self) -> Mapping[str, Kind]:
        """The Azure resource types, by Pulumi's type token."""
        return self.described

    def admit(self, api: Api, token: str, declared: Values) -> None:
        """Reject unregistered providers, calls without an existing parent, and bodies that violate Bicep's types."""
        own = self.described[token]
        if token != GROUP:
            api.use(own.service)
        identifier = api.filled(own.path, declared)
        for parent in parents(identifier):
            if not api.exists(parent):
                raise not_found(parent)
        if wrong := faults({"type": token, "name": "", "inputs": declared}):
            raise refused(400, "InvalidRequestContent", f"The request content was invalid: {'; '.join(wrong)}")

    def identify(self, api: Api, token: str, values: Values) -> str:
        """Return a resource's ID."""
        return api.filled(self.described[token].path, values)

    def referenced_id(self, api: Api, token: str, name: str, values: Values) -> str:
        """Return the value of a property, which is already the ID of the resource it refers to."""
        return name

    def missing(self, identifier: str) -> Refused:
        """Return the error for a resource that does not exist."""
        return not_found(identifier)

    def already_exists(self, token: str, identifier: str) -> Refused:
        """Return the error of the provider, which first looks for the resource itself: crud.go, read 2026-11-27."""
        return Refused("cannot create already existing resource", f"'{identifier}'", " ")

    def in_use(self, token: str, identifier: str, user: str) -> Refused:
        """Return the error for a resource that another resource uses."""
        status, code, message = self.described[token].used
        return refused(status, code, message.format(identifier, user, last(identifier)))

    def links(self, token: str, identifier: str) -> Values:
        """Return the only assigned property that every resource has: its name."""
        return {"name": last(identifier)}

    def changing(self, api: Api, token: str, identifier: str, before: Values, declared: Values) -> None:
        """Refuse to change properties that can only be set on creation.

        Source: Azure/AKS, issue 409, and other issues, read 2026-11-27.
        """
        for path in changed(before, declared):
            if is_below(path, self.described[token].frozen):
                raise refused(400, "PropertyChangeNotAllowed", f"Changing property '{path}' is not allowed.")

    def record(self, token: str) -> Record[Api]:
        """Return the `Record` for a type, rejecting concurrent writes if its parent allows only one at a time."""
        usual, own = super().record(token), self.described[token]
        if own.busy is None:
            return usual

        def create(api: Api, values: Values) -> str:
            with _alone(api, own, api.filled(own.path, values)):
                return usual.create(api, values)

        def update(api: Api, identifier: str, olds: Values, values: Values) -> None:
            with _alone(api, own, identifier):
                assert usual.update is not None
                usual.update(api, identifier, olds, values)

        def delete(api: Api, identifier: str, values: Values) -> None:
            with _alone(api, own, identifier):
                usual.delete(api, identifier, values)

        return Record(
            create, usual.read, delete, update, fixed=usual.fixed, steering=usual.steering, naming=usual.naming
        )

    def remove(self, api: Api, token: str, identifier: str) -> None:
        """Remove a resource, the resources in it, and those that extend it, e.g. role assignments."""
        for other, stored in api.everything().items():
            for inner in stored:
                if inner.lower().startswith(f"{identifier}/".lower()):
                    api.store.take(other, inner)
                    self.described[other].after(api, inner)
        api.store.take(token, identifier)


def parents(identifier: str) -> list[str]:
    """Return the IDs that must exist before a resource, i.e. the resources that contain it or that it extends."""
    scope, has_provider, rest = identifier.rpartition("/providers/")
    if not has_provider:
        return []
    _, *parts = rest.split("/")
    inside = "/".join(rest.split("/")[: len(rest.split("/")) - 2]) if len(parts) > 2 else ""
    if "/providers/" in scope:  # the resource that this one extends or is contained in
        base, _, of_base = scope.rpartition("/providers/")
        return [f"{base}/providers/{'/'.join(of_base.split('/')[:3])}"]
    if not inside:
        return [scope]
    if inside.endswith("/blobServices/default"):
        inside = inside.removesuffix("/blobServices/default")
    return [scope, f"{scope}/providers/{inside}"]


@contextmanager
def _alone(api: Api, own: Kind, identifier: str) -> Generator[None]:
    """Reject a write while another write in the same parent resource is in progress."""
    parent = "/".join(identifier.split("/")[:-2])
    with api.store.open() as everything:
        under_way = everything.setdefault("under way", {})
        if parent in under_way:
            assert own.busy is not None
            status, code, message = own.busy
            raise refused(status, code, message.format(parent, last(parent)))
        under_way[parent] = {}
    try:
        time.sleep(LONGEST_WRITE_S)
        yield
    finally:
        api.store.take("under way", parent)


def unique(token: str, name: str, code: str, message: str) -> Rule:
    """Return a rule that rejects names already used by this resource type in any resource group or tenant."""

    def rule(api: Api, values: Values) -> None:
        identifier = api.filled(RESOURCES[token].template, values)
        duplicates = [each for each in api.all(token) if last(each).lower() == str(values[name]).lower()]
        others_have_it = api.store.get(f"others' {name}", str(values[name]).lower()) is not None
        if others_have_it or any(each != identifier for each in duplicates):
            raise refused(409, code, message.format(values[name]))

    return rule
