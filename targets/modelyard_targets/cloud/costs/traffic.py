"""Cost lines for traffic, logs and stored data.

No field in the spec limits their amounts, which come from a usage file or are assumed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.costs import Category, CostLine, Quantity
from modelyard.plan import Kind, Plan, Route
from modelyard.records import record
from modelyard.spec import Capture, Store, System
from modelyard.usage import Requests
from modelyard_targets.cloud.costs.prices import Sheet
from modelyard_targets.kube.placement.placed import managed_stores

GB: Final = 1000**3
_DAYS_OF_A_YEAR: Final = 365
_DAYS_OF_A_MONTH: Final = 730 / 24
_LOGS_GB: Final = {"small": 5.0, "enterprise": 60.0}
_INTERNET_GB: Final = {"small": 20.0, "enterprise": 200.0}
_IMAGES_GB: Final = 10.0


def logs(sheet: Sheet, plan: Plan, address: str, days: int, free_days: int = 0) -> Iterator[CostLine]:
    """Yield the cost lines for logs from the cluster, network and databases: ingesting them, and keeping them.

    They are kept for `days`, of which the first `free_days` are included in the price of ingesting them.
    """
    known, size = sheet.usage.platform.logs_gb, plan.system.profile.size
    amount = known if known is not None else _LOGS_GB[size]
    yield open_line(sheet, "platform", address, "ingested logs", "log-gb", amount, "other", _of(known, size))
    if days > free_days:
        kept = amount * (days - free_days) / _DAYS_OF_A_MONTH
        note = f"kept for {days} days, {free_days} of them free" if free_days else f"kept for {days} days"
        yield open_line(sheet, "platform", address, "kept logs", "kept-log-gb-months", kept, "other", note)


def internet(sheet: Sheet, plan: Plan, address: str, item: str = "nat-gb") -> CostLine:
    """Return the cost line for traffic through NAT gateways."""
    known, size = sheet.usage.platform.internet_gb, plan.system.profile.size
    amount = known if known is not None else _INTERNET_GB[size]
    return open_line(sheet, "platform", address, "traffic through NAT", item, amount, "network", _of(known, size))


def images(sheet: Sheet, address: str, item: str = "image-gb") -> CostLine:
    """Return the cost line for storing all versions of the runtime image."""
    note = f"assumed {_IMAGES_GB:g} GB of image layers"
    return open_line(sheet, "platform", address, "stored images", item, _IMAGES_GB, "storage", note)


def requests_of(
    sheet: Sheet, plan: Plan, placement: str, balanced: str = "load-balancer-gb", out: str = "egress-gb"
) -> Iterator[CostLine]:
    """Yield cost lines for the traffic of endpoints with clients outside the cluster."""
    for resource in plan.of(Route, placement):
        inference = resource.value.inference
        exposure, known = inference.endpoint.exposure, sheet.usage.inference.get(inference.name)
        if exposure == "cluster":
            continue
        component, here = f"inference.{inference.name}", resource.place
        note = _traffic_note(known)
        amount = known.monthly * (known.request_bytes + known.response_bytes) / GB if known is not None else 0.0
        yield open_line(sheet, component, here, "balanced requests and responses", balanced, amount, "network", note)
        if exposure == "public":
            response_gb = known.monthly * known.response_bytes / GB if known is not None else 0.0
            yield open_line(sheet, component, here, "responses to the internet", out, response_gb, "network", note)


@record
class Objects:
    """The name and the price item of a cloud's stored objects, as it creates the stores of a system."""

    what: str = "stored objects"
    item: str = "object-gb-months"


def stored(sheet: Sheet, plan: Plan, placement: str, objects: Objects) -> Iterator[CostLine]:
    """Yield a cost line for each object store's data after a year, or after its retention period if shorter."""
    for resource in managed_stores(plan, placement, Kind.OBJECT_STORE):
        store = resource.value
        amount, note = _stored_bytes(sheet, plan.system, store)
        yield open_line(
            sheet, f"stores.{store.name}", resource.place, objects.what, objects.item, amount / GB, "storage", note
        )


def backups(sheet: Sheet, store: str, address: str, item: str) -> CostLine:
    """Return the cost line for database backups beyond the amount that is free."""
    note = "depends on how much changes each day"
    return open_line(sheet, f"stores.{store}", address, "backups beyond the free amount", item, 0.0, "database", note)


def _stored_bytes(sheet: Sheet, system: System, store: Store) -> tuple[float, str]:
    """Estimate a store's size in bytes after one year, along with a note that breaks down the total."""
    days = kept_days(store)
    parts: list[tuple[str, float]] = []
    for name, rows in sheet.usage.data.items():
        if system.data[name].store == store.name:
            parts.append((f"data.{name}", rows.per_day * rows.row_bytes * days))
    for inference in system.inference.values():
        capture, known = inference.capture, sheet.usage.inference.get(inference.name)
        if capture is not None and capture.store == store.name and known is not None:
            parts.append((f"captures of {inference.name}", _captured(capture, known, days)))
    if not parts:
        return 0.0, "no rows or requests in a usage file"
    listed = ", ".join(f"{what} {amount / GB:.3g} GB" for what, amount in parts)
    return sum(amount for _, amount in parts), f"after {days:g} days: {listed}; without older versions"


def kept_days(store: Store) -> float:
    """Return how many days' worth of data a store contains after one year."""
    return min(_DAYS_OF_A_YEAR, store.retention_s / 86400 if store.retention_s is not None else _DAYS_OF_A_YEAR)


def captured_daily(capture: Capture, known: Requests) -> float:
    """Return the number of request and response bytes an endpoint captures each day."""
    return known.monthly * 24 / 730 * capture.fraction * (known.request_bytes + known.response_bytes)


def _captured(capture: Capture, known: Requests, days: float) -> float:
    kept_days = min(days, capture.retain_s / 86400 if capture.retain_s is not None else days)
    return captured_daily(capture, known) * kept_days


def open_line(
    sheet: Sheet, component: str, address: str, what: str, item: str, amount: float, category: Category, note: str
) -> CostLine:
    """Return a cost line for the given number of GB, an amount that isn't limited by any field in the spec."""
    quantity = Quantity(0.0, amount, amount)
    rate = sheet.service(item)
    return CostLine(component, address, what, "GB", quantity, rate, category, item, assumption=note, open_ended=True)


def _of(known: float | None, size: str) -> str:
    return "by the usage file" if known is not None else f"assumed for a system of size {size}"


def _traffic_note(known: Requests | None) -> str:
    if known is None:
        return "no requests in a usage file"
    return f"{known.mean:g} requests a second, {known.peak:g} in {known.peak_hours:g} hours a day"
