"""The interface between the stages before the plan and a provider: its own typed fields, and facts for rules.

A `Target` implements it, as do stand-ins in tests. docs/decisions/0065-providers-and-diagnostics.md
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol, TypeAlias

from modelyard.diagnostics.base import Diagnostic
from modelyard.nodes import Node
from modelyard.spec import NO_OPTIONS, Options, System

Rule: TypeAlias = Callable[[System], Iterator[Diagnostic]]
"""Yields every violation of a requirement that the schema cannot express, at its place."""

ResolveOptions: TypeAlias = Callable[[Node, bool], Options]
"""From a target's validated fields, and whether the profile has size enterprise, to the provider's own options."""


def no_options(node: Node, is_enterprise: bool) -> Options:
    """For a provider without fields of its own."""
    return NO_OPTIONS


class Provider(Protocol):
    """The provider of a target."""

    @property
    def resolve_options(self) -> ResolveOptions:
        """Parses its own fields of a target into a record."""
        ...

    @property
    def in_cloud(self) -> bool:
        """Whether it is a public cloud, whose regions determine where a target is."""
        ...

    @property
    def secrets_via(self) -> str:
        """How most of its targets read secrets from outside their cluster; empty if they read none."""
        ...
