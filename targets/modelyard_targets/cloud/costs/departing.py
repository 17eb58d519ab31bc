"""Cost lines for data leaving a placement for a target on premises, in another cloud or in another region.

The identities in the plan determine which workload accesses which folder of which store. A reader moves data out of the
store's target, and a writer moves data out of its own target. The amount comes from a usage file, either from its rows,
captures and runs or, for a pair of targets, from its `crossings`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from modelyard.costs import CostLine
from modelyard.plan import Access, Identity, Plan
from modelyard.records import record
from modelyard.spec import Dataset, Monitor, Store, System
from modelyard.usage import TrafficKind, Usage, way_between
from modelyard_targets.cloud.costs.prices import Sheet
from modelyard_targets.cloud.costs.runs import monitor_starts, pipeline_starts
from modelyard_targets.cloud.costs.traffic import GB, captured_daily, kept_days, open_line

ITEMS: Final[Mapping[TrafficKind, str]] = {"internet": "egress-gb", "regions": "region-egress-gb"}
"""Items in a cloud's price table for traffic to the internet, which includes other clouds, and between regions."""

_WORDS: Final[Mapping[TrafficKind, str]] = {"internet": "over the internet", "regions": "between regions"}
_DAYS_OF_A_MONTH: Final = 730 / 24
_SHOWN: Final = 3


@record
class Departure:
    """A workload's access to a folder that causes data to leave for another target."""

    workload: str
    access: Access
    reads: bool


def departing(sheet: Sheet, plan: Plan, placement: str, address: str) -> Iterator[CostLine]:
    """Yield a line for each target that receives billable data from the placement, in spec order."""
    system, leaving = plan.system, departures(plan, placement)
    for target in system.deployment.targets:
        way = way_between(system.target(placement), target)
        known = sheet.usage.crossings.get((placement, target.name))
        if not way or (target.name not in leaving and known is None):
            continue
        amount, note = _amount(system, sheet.usage, leaving.get(target.name, ()))
        if known is not None:
            amount, note = known, "by the usage file"
        what = f"traffic to {target.name} {_WORDS[way]}"
        yield open_line(sheet, "platform", address, what, ITEMS[way], amount, "network", note)


def departures(plan: Plan, placement: str) -> Mapping[str, tuple[Departure, ...]]:
    """Return the departures from a placement, keyed by the target receiving the data."""
    by_target: dict[str, list[Departure]] = {}
    for identity in plan.of(Identity):
        for access in identity.value.access:
            store = plan.system.stores[access.store].target
            if store == identity.placement:
                continue
            if access.mode != "append" and store == placement:
                by_target.setdefault(identity.placement, []).append(
                    Departure(identity.value.workload, access, reads=True)
                )
            if access.mode != "read" and identity.placement == placement:
                by_target.setdefault(store, []).append(Departure(identity.value.workload, access, reads=False))
    return {target: tuple(dict.fromkeys(each)) for target, each in by_target.items()}


def _amount(system: System, usage: Usage, leaving: tuple[Departure, ...]) -> tuple[float, str]:
    """Return the known traffic in GB per month, along with a note.

    The note lists each known amount and the folders whose amount is unknown.
    """
    known: dict[str, float] = {}
    unknown: list[str] = []
    for departure in leaving:
        amount = _monthly(system, usage, departure)
        folder = f"{departure.access.store}/{departure.access.prefix.strip('/')}"
        if amount is None:
            unknown.append(folder)
        else:
            what = f"{departure.workload} {'reads' if departure.reads else 'writes'} {folder}"
            known[what] = known.get(what, 0.0) + amount / GB
    notes = [f"{what}: {amount:.3g} GB" for what, amount in known.items()]
    return sum(known.values()), "; ".join((*notes, *_not_counted(unknown)))


def _not_counted(folders: list[str]) -> Iterator[str]:
    listed = list(dict.fromkeys(folders))
    if listed:
        more = f" and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
        yield f"not counted: {', '.join(listed[:_SHOWN])}{more}"


def _monthly(system: System, usage: Usage, departure: Departure) -> float | None:
    """Return the bytes that a departure moves per month, or None if nothing is known about its folder."""
    daily = _daily(system, usage, departure.access)
    if daily is None:
        return None
    if not departure.reads:
        return daily * _DAYS_OF_A_MONTH
    read = _read(system, usage, departure)
    return None if read is None else daily * read


def _read(system: System, usage: Usage, departure: Departure) -> float | None:
    """Return how much data a workload's runs read from a folder per month, in days of the folder's growth.

    A pipeline reads all retained data. A monitor reads its own window or that of its reference.
    """
    kind, _, name = departure.workload.partition(".")
    if kind == "pipelines" and name in system.pipelines:
        starts = pipeline_starts(system, system.pipelines[name], usage).expected
        return starts * kept_days(system.stores[departure.access.store])
    if kind == "monitors" and name in system.monitors:
        monitor = system.monitors[name]
        return monitor_starts(monitor).expected * _window_s(system, monitor, departure.access) / 86400
    return None


def _window_s(system: System, monitor: Monitor, access: Access) -> int:
    reference = monitor.reference
    store, folder = system.stores[access.store], access.prefix.strip("/")
    if reference is None or not reference.data or not _is_in(system.data[reference.data], store, folder):
        return monitor.window_s
    return reference.window_s or monitor.window_s


def _daily(system: System, usage: Usage, access: Access) -> float | None:
    """Return a folder's daily growth in bytes, or None if it has no dataset or captures with known usage."""
    folder = access.prefix.strip("/")
    for dataset in system.data.values():
        if _is_in(dataset, system.stores[access.store], folder) and dataset.name in usage.data:
            rows = usage.data[dataset.name]
            return rows.per_day * rows.row_bytes
    for inference in system.inference.values():
        capture, known = inference.capture, usage.inference.get(inference.name)
        if capture is not None and capture.store == access.store and folder == f"captures/{inference.name}":
            return captured_daily(capture, known) if known is not None else None
    return None


def _is_in(dataset: Dataset, store: Store, folder: str) -> bool:
    return dataset.store == store.name and dataset.path.strip("/") == folder
