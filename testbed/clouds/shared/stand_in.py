"""What each cloud's stand-in provides: resource types, provider functions, and how to connect to its API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic

from testbed.clouds.shared.record import CloudApi, Record
from testbed.clouds.shared.values import Values


@dataclass(frozen=True)  # no slots, because `StandIn[Api](...)` could not set `__orig_class__`
class StandIn(Generic[CloudApi]):
    """A simulated cloud on loopback.

    `version` is the version of the provider plug-in replaced by the stand-in. `region_variable` is the environment
    variable with the default region for providers whose settings don't name one.
    """

    name: str
    version: str
    region_variable: str
    records: Mapping[str, Record[CloudApi]]
    invokes: Mapping[str, Callable[[CloudApi, Values], Values]]
    connect: Callable[[str], CloudApi]
