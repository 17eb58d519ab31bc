"""Descriptions of Google Cloud resource types, and how Google treats them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from testbed.clouds.gcp.api import Api, at, refused, relative
from testbed.clouds.gcp.discovery import faults
from testbed.clouds.shared import kinds as shared
from testbed.clouds.shared.record import Naming
from testbed.clouds.shared.refusal import Refused
from testbed.clouds.shared.values import Values

Assign: TypeAlias = shared.Assign[Api]
Rule: TypeAlias = shared.Rule[Api]

PROVIDED = frozenset({"effectiveLabels", "pulumiLabels"})
"""Properties in the provider's state that no call sends."""


@dataclass(frozen=True)
class Kind(shared.Kind[Api]):
    """A resource type.

    `labels` is the property that default labels are added to. `link` is the prefix of a resource's link. `noun` is the
    term for the type in the error message about a resource in use.
    """

    labels: str = ""
    link: str = ""
    noun: str = ""


def default_naming(longest: int = 63) -> Naming:
    """Return how the provider names resources of this type if the program doesn't."""
    return Naming(longest=longest, lower=True)


class Google(shared.Cloud[Api]):
    """Google Cloud, with the errors of its APIs."""

    def __init__(self, kinds: Mapping[str, Kind]) -> None:
        self._kinds = kinds

    @property
    def kinds(self) -> Mapping[str, Kind]:
        """The Google Cloud resource types, by Pulumi's type token."""
        return self._kinds

    def admit(self, api: Api, token: str, declared: Values) -> None:
        """Reject calls to services that aren't enabled, and bodies that violate the discovery documents."""
        api.use(self._kinds[token].service)
        if wrong := faults({"type": token, "name": "", "inputs": declared}):
            raise refused(400, f"Invalid value: {'; '.join(wrong)}, invalid")

    def identify(self, api: Api, token: str, values: Values) -> str:
        """Return the ID. For policy members, it ends with the title of their condition."""
        titles = "".join(f"/{title}" for title in at(values, "condition.title"))
        return api.filled(self._kinds[token].path, values) + titles

    def referenced_id(self, api: Api, token: str, name: str, values: Values) -> str:
        """Return the ID of the resource a property refers to by link, by ID, or by name in the same region."""
        return target_of(api, self._kinds[token], name, values)

    def missing(self, identifier: str) -> Refused:
        """Return the error for a resource that does not exist."""
        return refused(404, f"The resource '{identifier}' was not found, notFound")

    def already_exists(self, token: str, identifier: str) -> Refused:
        """Return the error for a resource that already exists."""
        return refused(409, self._kinds[token].exists.format(identifier))

    def in_use(self, token: str, identifier: str, user: str) -> Refused:
        """Return the error for a resource in use. Wording: opstrace/opstrace, issue 47, read 2026-11-27."""
        return refused(
            400,
            f"The {self._kinds[token].noun} resource '{identifier}' is already being used by '{user}',"
            " resourceInUseByAnotherResource",
        )

    def sent(self, token: str, values: Values) -> Values:
        """Return the properties sent by a call, without those of the provider itself, and with all labels."""
        declared = {name: value for name, value in values.items() if name not in PROVIDED}
        labels = self._kinds[token].labels
        if labels and values.get("effectiveLabels"):
            declared[labels] = values["effectiveLabels"]
        return declared

    def links(self, token: str, identifier: str) -> Values:
        """Return the link of a resource, if its type has links."""
        link = self._kinds[token].link
        return {"selfLink": f"{link}{identifier}"} if link else {}

    def provider_view(self, token: str, current: Values, values: Values) -> Values:
        """Return the provider's view of a resource, which only has labels managed by the provider."""
        field = self._kinds[token].labels
        if not field:
            return current
        labels = current.get(field) or {}

        def managed(name: str) -> Values:
            return {key: labels[key] for key in values.get(name) or {} if key in labels}

        view = {**current, "effectiveLabels": labels, "pulumiLabels": managed("pulumiLabels")}
        view.pop(field, None)
        return {**view, field: managed(field)} if field in values else view


def target_of(api: Api, kind: Kind, name: str, values: Mapping[str, object]) -> str:
    """Return the ID of the resource a property refers to by link, by ID, or by name in the same region."""
    link = relative(name)
    if "/" in link or "/" not in kind.path:
        return link
    last = kind.path.rpartition("{")[2].rstrip("}")
    return api.filled(kind.path, {**values, last: name})
