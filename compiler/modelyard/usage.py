"""How much a system is used, as far as the user knows. Every value has a default that cost lines can state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from modelyard.records import field, record
from modelyard.spec import TargetSpec

TrafficKind: TypeAlias = Literal["internet", "regions", ""]
"""What a cloud charges for when data leaves a target: traffic to the internet, between its own regions, or nothing."""


@record
class Requests:
    """An endpoint's requests.

    The rate per second is `peak` for `peak_hours` a day, and `mean` otherwise.
    """

    mean: float
    peak: float
    peak_hours: float = 4.0
    request_bytes: int = 2_000
    response_bytes: int = 500
    seconds: float = 0.1  # how long a replica takes for one request

    @property
    def monthly(self) -> float:
        """Return the number of requests in a month of 730 hours."""
        per_day = (self.mean * (24 - self.peak_hours) + self.peak * self.peak_hours) * 3600
        return per_day * 730 / 24


@record
class Runs:
    """How long a run typically takes, and how often runs are started manually or by a monitor."""

    typical_s: int | None = None
    per_month: float | None = None


@record
class Rows:
    """How fast a dataset grows."""

    per_day: float
    row_bytes: float


@record
class PlatformUsage:
    """Usage that doesn't belong to a workload. For None, the profile determines the value."""

    logs_gb: float | None = None  # per month
    internet_gb: float | None = None  # through NAT, per month
    rollouts_per_month: float = 4.0
    rollout_s: int = 1800


@record
class Usage:
    """The contents of a usage file, all optional. `prices` maps provider, region and item to the user's prices."""

    inference: Mapping[str, Requests] = field(default_factory=dict[str, Requests])
    pipelines: Mapping[str, Runs] = field(default_factory=dict[str, Runs])
    monitors: Mapping[str, Runs] = field(default_factory=dict[str, Runs])
    data: Mapping[str, Rows] = field(default_factory=dict[str, Rows])
    platform: PlatformUsage = PlatformUsage()
    discounts: Mapping[str, float] = field(default_factory=dict[str, float])  # by category, or `all`
    prices: Mapping[tuple[str, str, str], float] = field(default_factory=dict[tuple[str, str, str], float])
    prices_source: str = ""  # the file of the price book
    crossings: Mapping[tuple[str, str], float] = field(default_factory=dict[tuple[str, str], float])
    """GB per month sent from the first target to the second."""


NO_USAGE = Usage()
"""The usage of a system about which nothing is known."""


def way_between(here: TargetSpec, there: TargetSpec) -> TrafficKind:
    """Return the charge type for data sent from `here` to `there`, or "" if it leaves your own cluster."""
    if not here.in_cloud or here.name == there.name:
        return ""
    if here.provider != there.provider:
        return "internet"
    return "regions" if here.region != there.region else ""
