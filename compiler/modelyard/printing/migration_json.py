"""Print a migration plan for programs, in the format defined by migration.schema.json."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from modelyard.costs import CostLine, total
from modelyard.migration.judging import Charge, Judgement, MachineRow, Verdict
from modelyard.migration.records import Phase, Step
from modelyard.migration.sides import Sides
from modelyard.portability import Destination
from modelyard.stack import Value

VERSION = "modelyard.dev/v1alpha1"


def data_of(
    sides: Sides, digest: str, judgement: Judgement, phases: Iterable[Phase], variables: Iterable[str]
) -> dict[str, Value]:
    """Return a plan as plain data. If the new side does not compile, there are verdicts but no phases."""
    wish = sides.request
    to = wish.to if isinstance(wish.to, str) else ":".join(part for part in _parts(wish.to) if part)
    return {
        "apiVersion": VERSION,
        "kind": "Migration",
        "system": sides.old.system.metadata.name,
        "from": sides.old.name,
        "to": wish.name,
        "request": {"from": list(wish.sources), "to": to, "variables": sorted(variables)},
        "spec": digest,
        "verdicts": [_verdict(item) for item in judgement.verdicts],
        "machines": {"old": _machines(judgement.before), "new": _machines(judgement.after)},
        "monthly": {side: _monthly(lines) for side, lines in (judgement.monthly or {}).items()},
        "charges": [_charge(item) for item in judgement.charges],
        "residency": {
            "allowed": list(judgement.allowed),
            "places": [
                {
                    "side": place.side,
                    "target": place.target,
                    "provider": place.provider,
                    "region": place.region,
                    "residency": place.residency,
                }
                for place in judgement.places
            ],
        },
        "quotas": [
            {"target": target, "what": quota.what, "code": quota.code, "needed": quota.needed}
            for target, quota in judgement.quotas
        ],
        "phases": [_phase(phase) for phase in phases],
    }


def _parts(destination: Destination) -> tuple[str, str]:
    return destination.provider, destination.region


def _verdict(verdict: Verdict) -> Mapping[str, Value]:
    return {
        "part": verdict.part,
        "verdict": verdict.verdict,
        "platforms": [{"before": before, "after": after} for before, after in verdict.platforms],
        "changes": list(verdict.changes),
        "reasons": list(verdict.reasons),
    }


def _machines(rows: Iterable[MachineRow]) -> list[Value]:
    return [
        {
            "target": row.target,
            "for": row.compute,
            "machines": [
                {"name": machine.name, "hourly": machine.hourly, "note": machine.note} for machine in row.machines
            ],
        }
        for row in rows
    ]


def _monthly(lines: Iterable[CostLine]) -> Mapping[str, Value]:
    listed = tuple(lines)
    costs = total(listed)
    currencies: list[Value] = [*sorted({line.price.currency for line in listed if line.price is not None})]
    return {
        "floor": round(costs.floor, 2),
        "expected": round(costs.expected, 2),
        "currencies": currencies,
        "unpriced": costs.unpriced,
    }


def _charge(charge: Charge) -> Mapping[str, Value]:
    return {
        "what": charge.what,
        "quantity": _rounded(charge.quantity),
        "unit": charge.unit,
        "price": _rounded(charge.price),
        "currency": charge.currency,
        "amount": _rounded(charge.amount),
        "source": charge.source,
    }


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 4)


def _phase(phase: Phase) -> Mapping[str, Value]:
    return {
        "name": phase.name,
        "purpose": phase.purpose,
        "before": list(phase.before),
        "do": [_step(step) for step in phase.do],
        "check": [_step(step) for step in phase.check],
        "undo": [_step(step) for step in phase.undo],
        "takes": phase.takes,
        "costs": phase.costs,
        "overlay": f"phases/{phase.name}/environment.yaml" if phase.overlay else None,
        "files": [f"phases/{phase.name}/{name}" for name in phase.files],
    }


def _step(step: Step) -> Mapping[str, Value]:
    in_cluster: Value = None
    if step.in_cluster is not None:
        in_cluster = {"text": step.in_cluster.text, "commands": list(step.in_cluster.commands)}
    return {"text": step.text, "commands": list(step.commands), "expect": step.expect, "inCluster": in_cluster}
