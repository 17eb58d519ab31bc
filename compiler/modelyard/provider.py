"""What the stages before the plan ask of a provider: the typed fields that it alone has, and facts that rules need.

A `Target` is one; so are stand-ins of tests. docs/decisions/0065-providers-and-diagnostics.md
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol, TypeAlias

from modelyard.diagnostics.base import Diagnostic
from modelyard.nodes import Node
from modelyard.spec import NO_OPTIONS, Options, System

Rule: TypeAlias = Callable[[System], Iterator[Diagnostic]]
"""What a system must hold to beyond its schema: everything that it does not, at its place."""

ResolveOptions: TypeAlias = Callable[[Node, bool], Options]
"""From the validated fields of a target, and whether the profile has size enterprise, to the provider's own options."""


def no_options(node: Node, is_enterprise: bool) -> Options:
    """Of a provider without fields of its own."""
    return NO_OPTIONS


class Provider(Protocol):
    """Who runs a target."""

    @property
    def resolve_options(self) -> ResolveOptions:
        """Its own fields of a target, as a record."""
        ...

    @property
    def in_cloud(self) -> bool:
        """Whether it is a public cloud, whose regions say where a target lies."""
        ...

    @property
    def secrets_via(self) -> str:
        """How most of its targets read secrets from outside of their cluster; empty where they read none."""
        ...
