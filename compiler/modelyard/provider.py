"""The interface that providers offer to the stages before the plan: their own typed fields, and facts for rules.

`Target` and test doubles implement this interface. See docs/decisions/0065-providers-and-diagnostics.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol, TypeAlias

from modelyard.diagnostics.base import Diagnostic
from modelyard.nodes import Node
from modelyard.spec import NO_OPTIONS, Options, System

Rule: TypeAlias = Callable[[System], Iterator[Diagnostic]]
"""Yields every violation of a requirement that the schema cannot express."""

ResolveOptions: TypeAlias = Callable[[Node, bool], Options]
"""Parses a target's validated fields into the provider's options. The flag is true for the size `enterprise`."""


def no_options(node: Node, is_enterprise: bool) -> Options:
    """Return the options for a provider that has no fields of its own."""
    return NO_OPTIONS


class Provider(Protocol):
    """The provider of a target."""

    @property
    def resolve_options(self) -> ResolveOptions:
        """Parse a target's provider-specific fields into a record."""
        ...

    @property
    def in_cloud(self) -> bool:
        """Whether this is a public cloud, in which case the region determines a target's location."""
        ...

    @property
    def secrets_via(self) -> str:
        """How most targets of the provider read secrets from outside their cluster, or "" if they cannot."""
        ...
