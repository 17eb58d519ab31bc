"""Describes resource types of Google Cloud, and turns each description into a record of the provider's lifecycle."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from testbed.clouds.gcp.api import Api, at, refused, relative
from testbed.clouds.gcp.discovery import faults
from testbed.clouds.shared.record import Naming, Record
from testbed.clouds.shared.values import Values

Assign: TypeAlias = Callable[[Api, Values, Values], Values]
"""Returns the properties that Google assigns, given the declared ones and, for an update, those assigned before."""

Rule: TypeAlias = Callable[[Api, Values], None]
"""Raises Refused for properties that Google refuses. Its docstring has source and date."""

Guard: TypeAlias = Callable[[Api, str, Values], None]
"""Raises Refused if a resource with this ID and these last known properties must not be deleted."""

PROVIDED = frozenset({"effectiveLabels", "pulumiLabels"})
"""Properties of the provider's state that no call sends."""


def _nothing(api: Api, values: Values, before: Values) -> Values:
    return {}


def _done(api: Api, identifier: str) -> None:
    """Do nothing after a change."""


@dataclass(frozen=True)
class Kind:
    """A resource type.

    `path` is the template of its ID, filled with declared and assigned properties. `service` has to be enabled. A
    change of a path in `fixed` requires a replacement, and one in `replaced_if` does so for some values. `labels` is
    the property to which default labels are added. `client` properties are instructions for the provider.
    `references` are the types that a property names. `blocked_by` are the types whose references prevent a deletion,
    and `noun` is the word for this type in the error; `contains` are those deleted with it. `computed` are the nested
    paths of assigned properties, which a preview does not know. A resource that `stays` is only forgotten by a
    deletion, and a `shared` one that exists is adopted. `after` runs after each change.
    """

    path: str
    service: str
    fixed: frozenset[str] = frozenset()
    replaced_if: Mapping[str, Callable[[Any, Any], bool]] = field(default_factory=dict[str, Callable[[Any, Any], bool]])
    naming: Naming | None = None
    labels: str = ""
    client: frozenset[str] = frozenset()
    link: str = ""
    assign: Assign = _nothing
    references: Mapping[str, str] = field(default_factory=dict[str, str])
    rules: tuple[Rule, ...] = ()
    guards: tuple[Guard, ...] = ()
    blocked_by: tuple[str, ...] = ()
    noun: str = ""
    contains: tuple[str, ...] = ()
    computed: frozenset[str] = frozenset()
    stays: Callable[[Values], bool] = lambda values: False
    shared: bool = False
    exists: str = "The resource '{}' already exists, alreadyExists"
    after: Callable[[Api, str], None] = _done


def named(longest: int = 63) -> Naming:
    """Return how the provider names such resources if the program does not."""
    return Naming(longest=longest, lower=True)


def record(token: str, kinds: Mapping[str, Kind]) -> Record[Api]:
    """Return the record of a type."""
    kind = kinds[token]

    def create(api: Api, values: Values) -> str:
        declared = _sent(kind, values)
        _checked(token, kinds, api, declared)
        assigned = kind.assign(api, declared, {})
        identifier = api.filled(kind.path, {**declared, **assigned}) + _condition(declared)
        if not kind.shared and api.store.get(token, identifier) is not None:
            raise refused(409, kind.exists.format(identifier))
        _put(api, token, kind, identifier, declared, assigned)
        return identifier

    def read(api: Api, identifier: str, values: Values) -> Values | None:
        current = api.find(token, identifier)
        return None if current is None else _shown(kind, current, values)

    def update(api: Api, identifier: str, olds: Values, values: Values) -> None:
        stored = api.store.get(token, identifier)
        if stored is None:
            raise refused(404, f"The resource '{identifier}' was not found, notFound")
        declared = _sent(kind, values)
        _checked(token, kinds, api, declared)
        assigned = {**stored["assigned"], **kind.assign(api, declared, stored["assigned"])}
        _put(api, token, kind, identifier, declared, assigned)

    def delete(api: Api, identifier: str, values: Values) -> None:
        current = api.find(token, identifier)
        if current is None:
            raise refused(404, f"The resource '{identifier}' was not found, notFound")
        if values.get("deletionPolicy") == "ABANDON":
            return
        for guard in kind.guards:
            guard(api, identifier, {**current, **values})
        if kind.stays(values):
            return
        for other in kind.blocked_by:
            _unused(api, kind, identifier, other, kinds)
        remove(api, token, identifier, kinds)
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


def _condition(declared: Values) -> str:
    """Return the end of the ID of a member of a policy, which is the title of its condition."""
    return "".join(f"/{title}" for title in at(declared, "condition.title"))


def remove(api: Api, token: str, identifier: str, kinds: Mapping[str, Kind]) -> None:
    """Remove a resource and those that it contains."""
    for other in kinds[token].contains:
        for inner, values in api.all(other).items():
            if identifier in _targets(api, other, values, token, kinds):
                remove(api, other, inner, kinds)
                kinds[other].after(api, inner)
    api.store.take(token, identifier)


def _sent(kind: Kind, values: Values) -> Values:
    """Return the properties of a call: without those of the provider, and with all labels."""
    declared = {name: value for name, value in values.items() if name not in PROVIDED}
    if kind.labels and values.get("effectiveLabels"):
        declared[kind.labels] = values["effectiveLabels"]
    return declared


def _put(api: Api, token: str, kind: Kind, identifier: str, declared: Values, assigned: Values) -> None:
    links = {"selfLink": f"{kind.link}{identifier}"} if kind.link else {}
    kept = {name: value for name, value in declared.items() if name not in kind.client}
    api.store.put(token, identifier, {"declared": kept, "assigned": {**assigned, **links}})
    kind.after(api, identifier)


def _shown(kind: Kind, current: Values, values: Values) -> Values:
    """Return the provider's view of a resource, whose labels are only those that it manages."""
    if not kind.labels:
        return current
    labels = current.get(kind.labels) or {}

    def managed(name: str) -> Values:
        return {key: labels[key] for key in values.get(name) or {} if key in labels}

    shown = {**current, "effectiveLabels": labels, "pulumiLabels": managed("pulumiLabels")}
    shown.pop(kind.labels, None)
    return {**shown, kind.labels: managed(kind.labels)} if kind.labels in values else shown


def _checked(token: str, kinds: Mapping[str, Kind], api: Api, declared: Values) -> None:
    """Refuse what the API's description, the references and the rules of a type do not allow."""
    kind = kinds[token]
    api.use(kind.service)
    if wrong := faults({"type": token, "name": "", "inputs": declared}):
        raise refused(400, f"Invalid value: {'; '.join(wrong)}, invalid")
    for path, other in kind.references.items():
        for name in at(declared, path):
            target = target_of(api, kinds[other], str(name), declared)
            if api.store.get(other, target) is None:
                raise refused(404, f"The resource '{target}' was not found, notFound")
    for rule in kind.rules:
        rule(api, declared)


def target_of(api: Api, kind: Kind, name: str, values: Mapping[str, Any]) -> str:
    """Return the ID of the resource that a property names by link, by ID, or by name in the same region."""
    link = relative(name)
    if "/" in link or "/" not in kind.path:
        return link
    last = kind.path.rpartition("{")[2].rstrip("}")
    return api.filled(kind.path, {**values, last: name})


def _targets(api: Api, other: str, values: Values, token: str, kinds: Mapping[str, Kind]) -> set[str]:
    """Return the IDs of the resources of type `token` that a resource of type `other` names."""
    paths = [path for path, named_type in kinds[other].references.items() if named_type == token]
    return {target_of(api, kinds[token], str(name), values) for path in paths for name in at(values, path)}


def _unused(api: Api, kind: Kind, identifier: str, other: str, kinds: Mapping[str, Kind]) -> None:
    """Refuse to delete a resource that another one uses.

    Wording: https://github.com/opstrace/opstrace/issues/47, read 2026-11-27.
    """
    token = next(name for name, each in kinds.items() if each is kind)
    for user, values in api.all(other).items():
        if identifier in _targets(api, other, values, token, kinds):
            raise refused(
                400,
                f"The {kind.noun} resource '{identifier}' is already being used by '{user}',"
                " resourceInUseByAnotherResource",
            )
