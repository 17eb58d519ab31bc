"""What is told of bundles: which version is in use, and how long ago the store was in reach."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from modelyard_runtime.models.loading import Bundles
from modelyard_runtime.telemetry.otlp import Sample

AGE: Final = "modelyard_bundle_age_seconds"
VERSION: Final = "modelyard_bundle_version"

_DESCRIPTIONS: Final = {
    AGE: "Seconds since the store of bundles was in reach, or since a bundle was carried here by hand.",
    VERSION: "Version of the model whose bundle is in use.",
}


def values(bundles: Bundles) -> dict[str, float]:
    """The metrics of a model's bundles by name; none where no bundle is in use yet."""
    version = bundles.version()
    return {} if version is None else {AGE: bundles.age_s(), VERSION: float(version.version)}


def samples(bundles: Bundles, labels: Mapping[str, str]) -> list[Sample]:
    """The same for a run that pushes its metrics."""
    return [Sample(name, value, labels) for name, value in values(bundles).items()]


class BundleMetrics:
    """The same in the metrics of Ray, whose names begin with `ray_` where they are scraped."""

    def __init__(self, bundles: Bundles, labels: Mapping[str, str]) -> None:
        from ray.util.metrics import Gauge

        self._bundles = bundles
        self._gauges: dict[str, Any] = {
            name: Gauge(name, description=text, tag_keys=tuple(labels)) for name, text in _DESCRIPTIONS.items()
        }
        for gauge in self._gauges.values():
            gauge.set_default_tags(dict(labels))

    def tell(self) -> None:
        """Set them to what is true now."""
        for name, value in values(self._bundles).items():
            self._gauges[name].set(value)
