"""Findings that do not come from a single field: monitoring signals, governance rules, rights, and signed approvals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from modelyard.checks import check
from modelyard.diagnostics.base import joined
from modelyard.plan import Plan
from modelyard.provider import Rule
from modelyard.records import replace
from modelyard.review.coverage import KINDS, signals
from modelyard.review.findings import Finding, Level, facts
from modelyard.review.places import span_of
from modelyard.review.rights import Rights, changed_rights
from modelyard.review.sides import Sides
from modelyard.review.values import Steps
from modelyard.spec import ModelCard, System
from modelyard.spec.watched import state_folder

_AUTOSCALER: Final = "call the Kubernetes API as autoscaler"
_HARMLESS: Final = "read "
"""How a right begins that changes nothing. Any other right, also of a new kind, is a power."""


def coverage(sides: Sides) -> Iterator[Finding]:
    """Report entries that gained or lost signal types. Added and removed entries are reported elsewhere."""
    if sides.before.monitors == sides.after.monitors and sides.before.inference == sides.after.inference:
        return
    old, new = signals(sides.before), signals(sides.after)
    for address in sorted(old.keys() | new.keys()):
        path = tuple(address.split("."))
        if not (_exists(sides.before, path) and _exists(sides.after, path)):
            continue
        before, after = old.get(address, {}), new.get(address, {})
        lost = [KINDS.get(kind, kind) for kind in before if kind not in after]
        gained = [KINDS.get(kind, kind) for kind in after if kind not in before]
        total = f"{len(after)} {'kind' if len(after) == 1 else 'kinds'} of signals (was {len(before)})"
        if lost:
            yield _of_signals(
                "R230", Level.DANGER, path, f"{address} has {total}: no longer {', '.join(lost)}", sides, before, after
            )
        if gained:
            yield _of_signals(
                "R231", Level.NOTE, path, f"{address} has {total}: also {', '.join(gained)}", sides, before, after
            )


def _of_signals(
    code: str, level: Level, path: Steps, message: str, sides: Sides, before: dict[str, str], after: dict[str, str]
) -> Finding:
    finding = at_place(code, level, path, message, sides)
    return replace(finding, before=", ".join(sorted(before)), after=", ".join(sorted(after)))


def _exists(system: System, path: Steps) -> bool:
    return len(path) == 2 and path[1] in getattr(system, path[0])


def switched_rules(sides: Sides, provider_rules: tuple[Rule, ...]) -> Iterator[Finding]:
    """Report rules that start or stop applying because the system's risk, industry or size has changed.

    They are found by checking a copy of the system stripped of everything rules can require, which violates every rule
    that applies.
    """
    old, new = sides.before, sides.after
    if (old.profile, old.governance.risk) == (new.profile, new.governance.risk):
        return
    bare = _bare(new)
    profiled = replace(bare, profile=old.profile, governance=replace(bare.governance, risk=old.governance.risk))
    before = {diagnostic.code for diagnostic in check(profiled, provider_rules)}
    after = {diagnostic.code for diagnostic in check(bare, provider_rules)}
    path = ("governance", "risk") if old.governance.risk != new.governance.risk else ("profile",)
    if before - after:
        codes = ", ".join(sorted(before - after))
        yield at_place("R244", Level.DANGER, path, f"rules no longer apply: {codes}", sides, before=codes)
    if after - before:
        codes = ", ".join(sorted(after - before))
        yield at_place("R245", Level.REVIEW, path, f"more rules apply: {codes}", sides, after=codes)


def _bare(system: System) -> System:
    """Strip a system of everything rules can require, such as approvals, model cards, explanations and a budget."""
    governance = replace(
        system.governance,
        approve_promotion=None,
        approvers=(),
        explainability=False,
        lineage=False,
        budget=None,
        residency=(),
    )
    models = {
        name: replace(model, card=ModelCard(), explainability=None, validation=(), stages=())
        for name, model in system.models.items()
    }
    return replace(system, governance=governance, models=models)


def rights(sides: Sides, before: Plan, after: Plan) -> Iterator[Finding]:
    """Report workloads that gained or lost rights, grouping those with the same change."""
    gained: dict[tuple[str, ...], list[Rights]] = {}
    lost: dict[tuple[str, ...], list[Rights]] = {}
    for changed in changed_rights(before, after):
        gained.setdefault(tuple(sorted(changed.after - changed.before)), []).append(changed)
        lost.setdefault(tuple(sorted(changed.before - changed.after)), []).append(changed)
    for words, changed_alike in gained.items():
        if words:
            level = max(_level_of(changed, sides.after) for changed in changed_alike)
            yield _of_rights("R406", level, "may", words, changed_alike, sides)
    for words, changed_alike in lost.items():
        if words:
            yield _of_rights("R413", Level.NOTE, "may no longer", words, changed_alike, sides)


def _level_of(changed: Rights, system: System) -> Level:
    """Return the level for a workload's new rights. A monitor's rights to its own folder are just a note."""
    own = _own_folder(changed.workload, system)
    others = {right for right in changed.after - changed.before if right.partition(" ")[2] != own}
    if not others:
        return Level.NOTE
    powers = _powers(others) - _powers(changed.before)
    if powers == {_AUTOSCALER} and _has_policies(changed.workload, system):
        return Level.REVIEW
    return Level.DANGER if powers else Level.REVIEW


def _has_policies(workload: str, system: System) -> bool:
    """Return whether admission policies limit an autoscaler to the sizes of its own cluster, except for tenants."""
    section, _, name = workload.partition(".")
    entry = system.pipelines.get(name) if section == "pipelines" else None
    endpoint = system.inference.get(name) if section == "inference" else None
    target = entry.target if entry is not None else endpoint.target if endpoint is not None else ""
    return bool(target) and system.target(target).tenancy != "shared"


def _own_folder(workload: str, system: System) -> str:
    """Return the store and folder where a monitor keeps its state, or "" for workloads without such a folder."""
    section, _, name = workload.partition(".")
    monitor = system.monitors.get(name) if section == "monitors" else None
    place = state_folder(system, monitor) if monitor is not None else None
    return "/".join(place).rstrip("/") if place is not None else ""


def _powers(rights: Iterable[str]) -> set[str]:
    changing = (right for right in rights if not right.startswith(_HARMLESS))
    return {right if right.startswith("call ") else right.split(" ")[1].partition("/")[0] for right in changing}


def _of_rights(
    code: str, level: Level, verb: str, words: tuple[str, ...], changed: list[Rights], sides: Sides
) -> Finding:
    names = [rights.workload for rights in changed]
    path = tuple(names[0].split("."))
    text = ", ".join(words)
    message = f"{joined(names)} {verb} {joined(_described(words))}"
    finding = replace(at_place(code, level, path, message, sides), facts=facts(words, names))
    return replace(finding, before=text) if code == "R413" else replace(finding, after=text)


def _described(words: tuple[str, ...]) -> list[str]:
    """Turn rights into phrases, combining rights to the same location."""
    verbs: dict[str, list[str]] = {}
    for right in words:
        verb, _, place = right.partition(" ")
        verbs.setdefault(place, []).append("append to" if verb == "append" else verb)
    return [
        " and ".join([f"{first} {place}", *(f"{verb} it" for verb in more)]) for place, (first, *more) in verbs.items()
    ]


def signatures(sides: Sides) -> Iterator[Finding]:
    """Report signed approvals that have been added or removed next to the spec."""
    old, new = set(sides.before.signed), set(sides.after.signed)
    for signed in sorted(new ^ old, key=lambda approval: (approval.model, approval.alias, approval.digest)):
        is_new = signed in new
        state = "is approved" if is_new else "is no longer approved"
        message = f"{signed.model} with digest {signed.digest} {state} for {signed.alias}"
        level = Level.REVIEW if is_new else Level.NOTE
        yield Finding(
            "R913",
            level,
            ("approvals", signed.model),
            message,
            environments=(sides.after.environment,),
            facts=facts(signed.alias, signed.digest, is_new),
        )


def at_place(
    code: str, level: Level, path: Steps, message: str, sides: Sides, before: str = "", after: str = ""
) -> Finding:
    """Return a new finding, located at the given path in both versions."""
    return Finding(
        code=code,
        level=level,
        path=path,
        message=message,
        before=before,
        after=after,
        environments=(sides.after.environment,),
        was_at=span_of(sides.before, path),
        now_at=span_of(sides.after, path),
    )
