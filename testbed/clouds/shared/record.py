"""How the provider handles each resource type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from testbed.clouds.shared.values import Values


class Account(Protocol):
    """The properties that every cloud's API has."""

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
"""Creates the resource from its properties and returns its ID. `tagsAll` includes the provider's default tags."""

Read: TypeAlias = Callable[[CloudApi, str, Values], "Values | None"]
"""Returns the resource's current properties, given its ID and last known properties; None if it no longer exists."""

Update: TypeAlias = Callable[[CloudApi, str, Values, Values], None]
"""Updates the resource from its last known properties to new ones."""

Delete: TypeAlias = Callable[[CloudApi, str, Values], None]
"""Deletes the resource, given its ID and last known properties."""

Tag: TypeAlias = Callable[[CloudApi, str, Values, Mapping[str, str], "list[str]"], None]
"""Sets and removes tags of a resource."""

Rule: TypeAlias = Callable[[CloudApi, Values], "str | None"]
"""Returns the API's error message if it is known to refuse such properties; its docstring has source and date."""


@dataclass(frozen=True, slots=True)
class Naming:
    """How the provider names a resource if the program does not: readable part, dash, seven random digits.

    A prefix that the program sets is followed by 26 characters: pulumi-aws 7.51.1, iam.Role, read 2026-11-24.
    """

    name: str = "name"
    longest: int = 255
    prefix: str = ""
    lower: bool = False

    def given(self, logical: str, random: str, values: Mapping[str, Any]) -> str:
        """Return the physical name for a logical name; it starts with `namePrefix` if the program sets one."""
        start = values.get(f"{self.name}Prefix")
        name = f"{start}{random[:26]}" if start else f"{self.prefix}{logical[: self.longest - 8]}-{random[:7]}"
        return name.lower() if self.lower else name


@dataclass(frozen=True)  # no slots: `Record[Api](...)` could not set `__orig_class__`
class Record(Generic[CloudApi]):
    """A resource type.

    `fixed`: properties whose change requires a replacement; without `update` that is all of them. `restless`: outputs
    that an update changes, so a preview does not predict them. `steering`: properties that only instruct the provider,
    so the cloud does not have them.
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
        """Return whether a change of this property requires a replacement."""
        return name not in ("tags", "tagsAll") and (self.update is None or name in self.fixed)
