"""Assess a migration: what happens to each part of the spec, and machines, residency, quotas and costs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from modelyard.costs import CostLine, Rate, discounted, total
from modelyard.fleets.costs import lines_of
from modelyard.handover import Handover, Quota
from modelyard.migration.sides import Side, Sides
from modelyard.plan import ByType, Kind, NodeGroup, NodePool, Plan, Resource, SystemPool
from modelyard.portability import Refusal, errors_of, located, parts_of
from modelyard.records import record, replace
from modelyard.source import Document, Json
from modelyard.spec import Store
from modelyard.target import Component, Targets
from modelyard.usage import Usage

DAYS_OF_A_MONTH: Final = 365 / 12
_DAYS_OF_A_YEAR: Final = 365
_GB: Final = 1000**3


@record
class Verdict:
    """What happens to a part of the spec: `kept`, `translated`, `new`, `dropped` or `no equivalent`.

    `platforms` gives the old and new platforms' terms for the part's resources, where they differ. `changes` lists the
    fields that differ, and `reasons` lists the compiler's errors.
    """

    part: str
    verdict: str
    platforms: tuple[tuple[str, str], ...] = ()
    changes: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


@record
class PricedMachine:
    """A machine type, and its hourly price or None if it is unknown.

    `note` explains a price that is for another capacity type or derived from another region's price.
    """

    name: str
    hourly: float | None
    note: str = ""


@record
class MachineRow:
    """The machines of a compute class on one target, in the order in which they are tried."""

    target: str
    compute: str
    machines: tuple[PricedMachine, ...]


@record
class Place:
    """The geographic location of a side's target."""

    side: str
    target: str
    provider: str
    region: str
    residency: str


@record
class Charge:
    """One item in the cost of the move: a quantity times a price, either of which may be unknown (None)."""

    what: str
    quantity: float | None
    unit: str
    price: float | None
    currency: str
    source: str

    @property
    def amount(self) -> float | None:
        """Return the quantity times the price, or None if either is unknown."""
        return None if self.quantity is None or self.price is None else self.quantity * self.price


@record
class Judgement:
    """Everything that is known about a migration before its first step."""

    verdicts: tuple[Verdict, ...]
    before: tuple[MachineRow, ...] = ()
    after: tuple[MachineRow, ...] = ()
    monthly: Mapping[str, tuple[CostLine, ...]] | None = None  # by side
    places: tuple[Place, ...] = ()
    allowed: tuple[str, ...] = ()  # the allowed residency in the spec
    quotas: tuple[tuple[str, Quota], ...] = ()  # the new side's quotas, by target
    charges: tuple[Charge, ...] = ()


def refusals_of(sides: Sides) -> tuple[Refusal, ...]:
    """Return the errors from compiling the new side, each with the part of the spec that it concerns."""
    refusals: dict[tuple[str, str, str], Refusal] = {}
    for side in (sides.live, sides.idle):
        document = side.outcome.document
        if document is None:
            located_here = tuple(Refusal("", (), problem) for problem in errors_of(side.outcome))
        else:
            located_here = located(document, tuple(parts_of(document)), errors_of(side.outcome))
            located_here = tuple(_in_the_spec(refusal, side, sides.old) for refusal in located_here)
        for refusal in located_here:
            refusals.setdefault((refusal.part, refusal.problem.code, refusal.problem.message), refusal)
    return tuple(refusals.values())


def _in_the_spec(refusal: Refusal, side: Side, old: Side) -> Refusal:
    """Point a refusal into the old side's files, because the new side's overlay doesn't exist yet."""
    problem, overlay, written = refusal.problem, side.inputs.overlay, old.outcome.document
    if problem.span is None or overlay is None or written is None or problem.span.file != overlay.path:
        return refusal
    return replace(refusal, problem=replace(problem, span=written.key_span(refusal.path)))


def verdicts_of(sides: Sides, targets: Targets) -> tuple[Verdict, ...]:
    """Return a verdict for each part of the spec."""
    old, new = sides.old.outcome.document, sides.live.outcome.document
    assert old is not None
    reasons = _reasons(refusals_of(sides))
    before = _kinds(sides.old.outcome.plan, targets)
    after = _kinds(sides.live.outcome.plan, targets)
    parts = dict.fromkeys((*parts_of(old), *(parts_of(new) if new is not None else ())))
    listed = ["", *parts] if "" in reasons else [*parts]
    return tuple(
        _verdict(part, (old, new), _platforms(before.get(part, {}), after.get(part, {})), reasons.get(part, ()))
        for part in listed
    )


def _platforms(before: Mapping[Kind, str], after: Mapping[Kind, str]) -> tuple[tuple[str, str], ...]:
    """Pair the old and new platforms' terms for each kind of resource in a part of the spec, where they differ."""
    pairs = ((before.get(kind, ""), after.get(kind, "")) for kind in dict.fromkeys((*before, *after)))
    return tuple(pair for pair in pairs if pair[0] != pair[1])


def _reasons(refusals: Iterable[Refusal]) -> Mapping[str, tuple[str, ...]]:
    reasons_by_part: dict[str, list[str]] = {}
    for refusal in refusals:
        problem = refusal.problem
        hint = f"; {problem.hint}" if problem.hint else ""
        reasons_by_part.setdefault(refusal.part, []).append(f"{problem.message}{hint} [{problem.code}]")
    return {part: tuple(reasons) for part, reasons in reasons_by_part.items()}


def _verdict(
    part: str,
    documents: tuple[Document, Document | None],
    platforms: tuple[tuple[str, str], ...],
    reasons: tuple[str, ...],
) -> Verdict:
    old, new = documents
    value = _value(old, part)
    other = _value(new, part) if new is not None else value
    if reasons:
        return Verdict(part, "no equivalent", (), _changed(value, other), reasons)
    if value is None or other is None:
        return Verdict(part, "new" if value is None else "dropped", platforms)
    changes = _changed(value, other)
    return Verdict(part, "translated" if changes or platforms else "kept", platforms, changes)


def _changed(before: Json, after: Json, path: str = "") -> tuple[str, ...]:
    """Return the fields that differ, as `field: before -> after`."""
    if isinstance(before, dict) and isinstance(after, dict):
        names = dict.fromkeys((*before, *after))
        return tuple(
            line
            for name in names
            for line in _changed(before.get(name), after.get(name), f"{path}.{name}" if path else name)
        )
    if before == after:
        return ()
    return (f"{path}: {_formatted(before)} -> {_formatted(after)}",)


def _formatted(value: Json) -> str:
    return "absent" if value is None else "…" if isinstance(value, dict | list) else str(value)


def _value(document: Document, part: str) -> Json:
    value: Json = document.value
    for step in part.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _kinds(plan: Plan | None, targets: Targets) -> Mapping[str, Mapping[Kind, str]]:
    """Return the platform's term for each kind of resource in each part, from the target's catalog."""
    words: dict[str, dict[Kind, str]] = {}
    for resource in plan.resources if plan is not None else ():
        words.setdefault(_part(resource), {}).setdefault(resource.kind, _word(resource, plan, targets))
    return words


def _word(resource: Resource, plan: Plan | None, targets: Targets) -> str:
    assert plan is not None
    provider = plan.system.target(resource.placement).provider
    entry = targets[provider].catalog[resource.kind]
    return entry.what if isinstance(entry, Component) else ""


def _part(resource: Resource) -> str:
    depth = 3 if resource.origin[:2] == ("deployment", "targets") else 2
    section = str(resource.origin[0]) if resource.origin else ""
    return section if section in {"profile", "governance", "registry"} else ".".join(map(str, resource.origin[:depth]))


def judged(sides: Sides, handovers: Mapping[str, Mapping[str, Handover]], targets: Targets, usage: Usage) -> Judgement:
    """Assess a migration whose sides both compile. `handovers` is keyed by side (`old` and `new`) and by target."""
    old, new = sides.old, sides.live
    monthly = {"old": _lines(old, targets, usage), "new": _lines(new, targets, usage)}
    return Judgement(
        verdicts_of(sides, targets),
        tuple(_machines(old.plan)),
        tuple(_machines(new.plan)),
        monthly,
        (*_places("old", old), *_places("new", new)),
        old.system.governance.residency,
        tuple((target, quota) for target, handover in handovers["new"].items() for quota in handover.quotas),
        (*_double_running(monthly), *_egress(sides, handovers, usage)),
    )


def _lines(side: Side, targets: Targets, usage: Usage) -> tuple[CostLine, ...]:
    listed = lines_of(side.plan, side.outcome.fleets, targets, usage)
    return tuple(line for _, lines in listed for line in discounted(lines, usage.discounts))


def _machines(plan: Plan) -> Iterator[MachineRow]:
    return (row for resource in plan.resources for row in _rows(resource))


def _no_rows(resource: Resource) -> tuple[MachineRow, ...]:
    return ()


def _of_pool(resource: Resource[NodePool]) -> tuple[MachineRow, ...]:
    pool = resource.value
    return (MachineRow(resource.placement, pool.compute, _priced(pool.groups)),)


def _of_system(resource: Resource[SystemPool]) -> tuple[MachineRow, ...]:
    return (MachineRow(resource.placement, "platform", _priced(resource.value.hardware.groups)),)


_rows: Final = ByType(_no_rows).case(NodePool, _of_pool).case(SystemPool, _of_system)


def _priced(groups: Iterable[NodeGroup]) -> tuple[PricedMachine, ...]:
    return tuple(
        PricedMachine(group.machines[0] + (" spot" if group.spot else ""), group.price_hourly, group.price_note)
        for group in groups
    )


def _places(name: str, side: Side) -> Iterator[Place]:
    for target in side.system.deployment.targets:
        yield Place(name, target.name, target.provider, target.region, target.residency)


DUAL_RUN_DAYS: Final = 7
ROLLBACK_DAYS: Final = 14
"""The number of days for which both sides run in the waiting phases. This is an assumption that the plan states."""


def _double_running(monthly: Mapping[str, tuple[CostLine, ...]]) -> Iterator[Charge]:
    """Yield each side's minimum cost for the days when it runs next to the other without serving callers."""
    for side, days, why in (
        ("new", DUAL_RUN_DAYS, "until the new side takes over"),
        ("old", ROLLBACK_DAYS, "while it can still take over"),
    ):
        lines = monthly[side]
        costs = total(lines)
        currencies = sorted({line.price.currency for line in lines if line.price is not None})
        known = costs.floor / DAYS_OF_A_MONTH if len(currencies) == 1 else 0.0 if not lines else None
        source = f"floor of `modelyard cost`, {why}" + (", without lines of unknown price" if costs.unpriced else "")
        yield Charge(f"the {side} side", float(days), "days", known, " and ".join(currencies), source)


def _egress(sides: Sides, handovers: Mapping[str, Mapping[str, Handover]], usage: Usage) -> Iterator[Charge]:
    """Yield the charges for each store's data when it leaves the old side."""
    for target, handover in handovers["old"].items():
        for remote in handover.remotes:
            after = [
                other
                for new_handover in handovers["new"].values()
                for other in new_handover.remotes
                if other.store == remote.store
            ]
            if after and after[0].uri == remote.uri and after[0].settings == remote.settings:
                continue
            size, note = _gigabytes(sides.old.system.stores[remote.store], sides.old, usage)
            yield _leaving(f"data of stores.{remote.store} that leaves {target}", size, note, handover.egress)


def _leaving(what: str, size: float | None, note: str, rate: Rate | None) -> Charge:
    if rate is None:
        return Charge(what, size, "GB", None, "", f"{note}; no price is known for data that leaves this target")
    dated = f"{rate.source}, {rate.date}" + (f"; {rate.estimate}" if rate.estimate else "")
    return Charge(what, size, "GB", rate.amount, rate.currency, f"{note}; {dated}")


def _gigabytes(store: Store, old: Side, usage: Usage) -> tuple[float | None, str]:
    """Return a store's size in gigabytes after its retention period (at most a year), and how it was determined."""
    days = min(_DAYS_OF_A_YEAR, store.retention_s / 86400 if store.retention_s is not None else _DAYS_OF_A_YEAR)
    rows = [volume for name, volume in usage.data.items() if old.system.data[name].store == store.name]
    if not rows:
        return None, "no rows of its datasets in a usage file"
    size = sum(volume.per_day * volume.row_bytes * days for volume in rows) / _GB
    return size, f"datasets in the usage file, after {days:g} days"
