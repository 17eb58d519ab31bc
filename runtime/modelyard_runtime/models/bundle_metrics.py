"""Bundle metrics, i.e. the active version and the seconds since the store was last reached."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from modelyard_runtime.models.loading import Bundles
from modelyard_runtime.telemetry.otlp import Sample

AGE: Final = "modelyard_bundle_age_seconds"
VERSION: Final = "modelyard_bundle_version"

_DESCRIPTIONS: Final = {
    AGE: "Seconds since the bundle store was reachable, or since a bundle was transferred here by hand.",
    VERSION: "Version of the model whose bundle is in use.",
}


def values(bundles: Bundles) -> dict[str, float]:
    """Return a model's bundle metrics by name, or an empty dict if no bundle is active yet."""
    version = bundles.version()
    return {} if version is None else {AGE: bundles.age_s(), VERSION: float(version.version)}


def samples(bundles: Bundles, labels: Mapping[str, str]) -> list[Sample]:
    """Return the bundle metrics as samples, for a run that pushes its metrics."""
    return [Sample(name, value, labels) for name, value in values(bundles).items()]


class BundleMetrics:
    """Exposes the bundle metrics as Ray metrics, which are scraped with a `ray_` prefix."""

    def __init__(self, bundles: Bundles, labels: Mapping[str, str]) -> None:
        from ray.util.metrics import Gauge

        self._bundles = bundles
        self._gauges: dict[str, Any] = {
            name: Gauge(name, description=text, tag_keys=tuple(labels)) for name, text in _DESCRIPTIONS.items()
        }
        for gauge in self._gauges.values():
            gauge.set_default_tags(dict(labels))

    def tell(self) -> None:
        """Set the gauges to the current values."""
        for name, value in values(self._bundles).items():
            self._gauges[name].set(value)
