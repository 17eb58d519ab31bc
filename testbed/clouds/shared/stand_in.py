"""What one cloud brings: its types, its functions, and how to reach its API in a region."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic

from testbed.clouds.shared.record import CloudApi, Record
from testbed.clouds.shared.values import Values


@dataclass(frozen=True)  # without slots: `StandIn[Api](...)` could not set `__orig_class__` then
class StandIn(Generic[CloudApi]):
    """A cloud on loopback.

    version is that of the provider plug-in it stands in for. region_variable is the environment variable with the
    region of a provider that was given none.
    """

    name: str
    version: str
    region_variable: str
    records: Mapping[str, Record[CloudApi]]
    invokes: Mapping[str, Callable[[CloudApi, Values], Values]]
    connect: Callable[[str], CloudApi]
