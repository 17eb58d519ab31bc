"""Find external addresses that receive unencrypted data, and the countries of cloud hosts."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import urlsplit

from modelyard.checks.regions import regions
from modelyard.patterns import pattern
from modelyard.records import record
from modelyard.source import Path
from modelyard.spec import System, target_path

_ADDRESS = pattern(r"[0-9.]+|\[?[0-9a-f:]+\]?")
_SERVICE_LABELS = 2


@record
class Address:
    """A URL called by workloads: its name in messages, its path in the spec, and what is sent to it."""

    what: str  # "store 'lake'"
    url: str
    path: Path
    credentials: bool
    sensitive: bool


def addresses(system: System, sensitive: frozenset[str]) -> Iterator[Address]:
    """Yield the URLs of stores, an adopted registry and metric receivers.

    `sensitive` names the stores that hold personal data.
    """
    for store in system.stores.values():
        if store.endpoint:
            own = ("stores", store.name, "endpoint")
            known = store.credentials is not None
            yield Address(f"store '{store.name}'", store.endpoint, own, known, store.name in sensitive)
    registry = system.registry
    if registry is not None and registry.adopt:
        known = registry.credentials is not None
        yield Address("the registry", registry.adopt, ("registry", "adopt"), known, False)
    for target in system.deployment.targets:
        if target.telemetry.remote_write:
            path = (*target_path(system, target.name), "telemetry", "remoteWrite")
            known = target.telemetry.secret is not None
            yield Address(f"metrics of target '{target.name}'", target.telemetry.remote_write, path, known, False)


def in_clear(url: str) -> bool:
    """Return whether a URL is plain HTTP to a host outside the cluster. Hosts like `minio.storage` are inside."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    labels = host.split(".")
    service = len(labels) <= _SERVICE_LABELS or labels[2] == "svc"
    return parts.scheme == "http" and (_ADDRESS.fullmatch(host) is not None or not service)


def country_of(url: str) -> tuple[str, str] | None:
    """Return the region in a cloud host name and that region's country, or None if it contains no region."""
    labels = (urlsplit(url).hostname or "").split(".")
    return next((_regions()[label] for label in _with_parts(labels) if label in _regions()), None)


def _with_parts(labels: list[str]) -> Iterator[str]:
    """Yield the labels of a host name, plus `eu-west-1` for a label like `s3-eu-west-1`."""
    for label in labels:
        yield label
        yield label.partition("-")[2]


@lru_cache(maxsize=1)
def _regions() -> dict[str, tuple[str, str]]:
    tables = regions().countries.values()
    return {region: (region, country) for table in tables for region, country in table.items()}
