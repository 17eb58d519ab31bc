"""Defines how the provider handles each resource type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from testbed.clouds.shared.values import Values


class Account(Protocol):
    """The properties of every cloud's API object."""

    @property
    def account(self) -> str:
        """Return the account, project or subscription."""
        ...

    @property
    def region(self) -> str:
        """Return the region that receives the calls."""
        ...


CloudApi = TypeVar("CloudApi", bound=Account)

Create: TypeAlias = Callable[[CloudApi, Values], str]
"""Creates a resource from its properties, and returns its ID. `tagsAll` includes the provider's default tags."""

Read: TypeAlias = Callable[[CloudApi, str, Values], "Values | None"]
"""Returns a resource's current properties, given its ID and last known properties, or None if it is gone."""

Update: TypeAlias = Callable[[CloudApi, str, Values, Values], None]
"""Updates a resource from its last known properties to new properties."""

Delete: TypeAlias = Callable[[CloudApi, str, Values], None]
"""Deletes a resource, given its ID and last known properties."""

Tag: TypeAlias = Callable[[CloudApi, str, Values, Mapping[str, str], "list[str]"], None]
"""Sets and removes tags of a resource."""

Rule: TypeAlias = Callable[[CloudApi, Values], "str | None"]
"""Returns the error message if the API is known to refuse such properties. Each rule's docstring has its source and
date.
"""


@dataclass(frozen=True, slots=True)
class Naming:
    """How the provider names a resource if the program doesn't: a readable part, a dash, and random digits.

    A prefix set by the program is followed by 26 characters: pulumi-aws 7.51.1, iam.Role, read 2026-11-24.
    """

    name: str = "name"
    longest: int = 255
    prefix: str = ""
    lower: bool = False
    separator: str = "-"
    digits: int = 7

    def physical_name(self, logical: str, random: str, values: Mapping[str, Any]) -> str:
        """Return the physical name for a logical name, which begins with `namePrefix` if set by the program."""
        start = values.get(f"{self.name}Prefix")
        end = f"{self.separator}{random[: self.digits]}"
        name = f"{start}{random[:26]}" if start else f"{self.prefix}{logical[: self.longest - len(end)]}{end}"
        return name.lower() if self.lower else name


@dataclass(frozen=True)  # no slots, because `Record[Api](...)` could not set `__orig_class__`
class Record(Generic[CloudApi]):
    """A resource type.

    Changing a `fixed` property requires a replacement. Without `update`, changing any property does. `restless` outputs
    change on every update, so a preview doesn't predict them. `steering` properties are instructions for the provider
    that don't exist in the cloud.
    """

    create: Create[CloudApi]
    read: Read[CloudApi]
    delete: Delete[CloudApi]
    update: Update[CloudApi] | None = None
    tag: Tag[CloudApi] | None = None
    fixed: frozenset[str] = frozenset()
    restless: frozenset[str] = frozenset()
    steering: frozenset[str] = frozenset()
    naming: Naming | None = None
    defaults: tuple[tuple[str, Any], ...] = ()
    rules: tuple[Rule[CloudApi], ...] = ()
    on_delete: tuple[Rule[CloudApi], ...] = ()

    def replaces(self, name: str) -> bool:
        """Return whether changing the given property requires a replacement."""
        return name not in ("tags", "tagsAll") and (self.update is None or name in self.fixed)
