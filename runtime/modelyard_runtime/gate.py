"""The promotion gate: every line must hold, and exactly this model be approved, before an alias moves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Protocol

from modelyard_runtime.description import Json, Section, bound, integer, names, number, rows, section, text
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.scores import better, known_metrics

APPROVAL_TAG = "modelyard.approval."
"""A group approves a model version by the tag `modelyard.approval.<group>`, whose value is the version's digest.

A digest that is not this version's does not count, so an approval cannot be carried over to another model.
"""

DIGEST_TAG = "modelyard.digest"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A new version beside another, on rows that neither has learned from; `left_out` are the rest of the data."""

    version: str
    value: float
    other: float
    rows: int
    left_out: int


class Incomparable(Exception):
    """Two versions cannot be compared; its text says why, and what to do."""


class Measures(Protocol):
    """What a gate asks about the new version."""

    def value(self, line: Section) -> float:
        """The metric of a line."""
        ...

    def against(self, line: Section) -> Comparison | None:
        """The metric beside that of what an alias points to; None where it points to nothing yet."""
        ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """One line of the gate: whether it holds, and in words why. `figures` are what it was judged by."""

    name: str
    holds: bool
    why: str
    figures: Mapping[str, Json] = field(default_factory=dict)


def check_gate(pipeline: Section, task: str, own_code: bool) -> None:
    """Refuse a line whose metric has no value: code of the user reports its metrics for the new model alone."""
    known = known_metrics(task)
    for line in rows(pipeline, "validation"):
        metric = text(line, "metric")
        if metric not in known and (not own_code or text(line, "versus") or text(line, "data")):
            raise Refusal(
                f"gate {text(line, 'name')!r}: {metric!r} is not computed for {task}; known are {', '.join(known)}"
            )


def judge(pipeline: Section, measures: Measures) -> tuple[Verdict, ...]:
    """Every line of the gate, judged."""
    return tuple(_judge_line(line, measures) for line in rows(pipeline, "validation"))


def _judge_line(line: Section, measures: Measures) -> Verdict:
    name, metric = text(line, "name"), text(line, "metric")
    if text(line, "versus"):
        return _judge_against(line, measures)
    value = measures.value(line)
    least, most = bound(line, "min"), bound(line, "max")
    holds = (least is None or value >= least) and (most is None or value <= most)
    wanted = [("at least", least), ("at most", most)]
    asked = " and ".join(f"{words} {limit:g}" for words, limit in wanted if limit is not None)
    return Verdict(name, holds, f"{metric} is {value:.6g}, asked is {asked}", {"metric": metric, "value": value})


def _judge_against(line: Section, measures: Measures) -> Verdict:
    name, metric, alias = text(line, "name"), text(line, "metric"), text(line, "versus")
    try:
        found = measures.against(line)
    except Incomparable as problem:
        return Verdict(name, False, f"{metric} cannot be compared: {problem}", {"metric": metric})
    if found is None:
        value = measures.value(line)
        told = f"{metric} is {value:.6g}; there is no {alias} to compare with yet"
        return Verdict(name, True, told, {"metric": metric, "value": value})
    gained, needed = better(metric, found.value, found.other), number(line, "minDelta")
    told = (
        f"{metric} is {found.value:.6g}, {alias} has {found.other:.6g}: better by {gained:.6g}, needed {needed:g}; "
        f"compared on {found.rows} rows that neither has learned from"
    )
    return Verdict(name, gained >= needed, told, {"metric": metric, **asdict(found), "gained": gained})


def missing_approvals(pipeline: Section, tags: Mapping[str, str], digest: str) -> tuple[int, tuple[str, ...]]:
    """How many approvals are missing for the version of this digest, and the groups that have not given theirs."""
    asked = section(pipeline, "approvals")
    groups = names(asked, "from")
    given = [group for group in groups if tags.get(f"{APPROVAL_TAG}{group}") == digest]
    return max(integer(asked, "minimum") - len(given), 0), tuple(group for group in groups if group not in given)


def refused(verdicts: Iterable[Verdict]) -> tuple[Verdict, ...]:
    """The lines that do not hold."""
    return tuple(verdict for verdict in verdicts if not verdict.holds)
