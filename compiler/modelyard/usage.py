"""How much a system is used, as far as somebody knows. Everything has a default that a cost line can name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

from modelyard.records import field, record
from modelyard.spec import TargetSpec

Way: TypeAlias = Literal["internet", "regions", ""]
"""What a cloud charges for when data leaves it: traffic to the internet, between its own regions, or nothing."""


@record
class Requests:
    """An endpoint's requests. `peak_hours` are hours a day with `peak` instead of `mean` requests per second."""

    mean: float
    peak: float
    peak_hours: float = 4.0
    request_bytes: int = 2_000
    response_bytes: int = 500
    seconds: float = 0.1  # a replica's time for one request

    @property
    def monthly(self) -> float:
        """Return the number of requests in a month of 730 hours."""
        per_day = (self.mean * (24 - self.peak_hours) + self.peak * self.peak_hours) * 3600
        return per_day * 730 / 24


@record
class Runs:
    """The typical duration of a pipeline's or monitor's run, and how often it is started by hand or by a monitor."""

    typical_s: int | None = None
    per_month: float | None = None


@record
class Rows:
    """How fast a dataset grows."""

    per_day: float
    row_bytes: float


@record
class PlatformUsage:
    """Usage that belongs to no workload. None means that the profile decides."""

    logs_gb: float | None = None  # a month
    internet_gb: float | None = None  # through NAT, a month
    rollouts_per_month: float = 4.0
    rollout_s: int = 1800


@record
class Usage:
    """The contents of a usage file, all optional. `prices` is the own price book, by provider, region and item."""

    inference: Mapping[str, Requests] = field(default_factory=dict[str, Requests])
    pipelines: Mapping[str, Runs] = field(default_factory=dict[str, Runs])
    monitors: Mapping[str, Runs] = field(default_factory=dict[str, Runs])
    data: Mapping[str, Rows] = field(default_factory=dict[str, Rows])
    platform: PlatformUsage = PlatformUsage()
    discounts: Mapping[str, float] = field(default_factory=dict[str, float])  # by category, or `all`
    prices: Mapping[tuple[str, str, str], float] = field(default_factory=dict[tuple[str, str, str], float])
    prices_source: str = ""  # the file of the price book
    crossings: Mapping[tuple[str, str], float] = field(default_factory=dict[tuple[str, str], float])
    """GB a month that leave the first target for the second one."""


NO_USAGE = Usage()
"""Usage of which nothing is known."""


def way_between(here: TargetSpec, there: TargetSpec) -> Way:
    """Return what is charged for data that leaves `here` for `there`. Nothing is for what leaves your own cluster."""
    if not here.in_cloud or here.name == there.name:
        return ""
    if here.provider != there.provider:
        return "internet"
    return "regions" if here.region != there.region else ""
