"""The promotion gate: every line must hold, and exactly this model be approved, before an alias moves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from modelyard_runtime.capabilities import computes, known_metrics, reported_may_have
from modelyard_runtime.description import Section, bound, integer, names, number, rows, section, text
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.scores import better

APPROVAL_TAG = "modelyard.approval."
"""A group approves a model version by the tag `modelyard.approval.<group>`, whose value is the version's digest.

A digest that is not this version's does not count, so an approval cannot be carried over to another model.
"""

DIGEST_TAG = "modelyard.digest"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One line of the gate: whether it holds, and in words why."""

    name: str
    holds: bool
    why: str


def check_gate(pipeline: Section, task: str, own_code: bool) -> None:
    """Refuse a line whose metric has no value: code of the user reports its metrics for the new model alone."""
    for line in rows(pipeline, "validation"):
        metric = text(line, "metric")
        asked = [field for field in ("versus", "data") if text(line, field) and not reported_may_have(field)]
        if not computes(metric, task) and (not own_code or asked):
            known = ", ".join(known_metrics(task))
            raise Refusal(f"gate {text(line, 'name')!r}: {metric!r} is not computed for {task}; known are {known}")


def judge(
    pipeline: Section, measured: Callable[[str, str], float], measured_of: Callable[[str, str, str], float | None]
) -> tuple[Verdict, ...]:
    """Every line of the gate, judged.

    `measured(metric, data)` is a metric of the new model on a dataset (empty: the held-out rows).
    `measured_of(alias, metric, data)` is the same of the model that an alias points to, on the same rows; None where
    the alias points to nothing yet.
    """
    return tuple(_judge_line(check, measured, measured_of) for check in rows(pipeline, "validation"))


def _judge_line(
    check: Section, measured: Callable[[str, str], float], measured_of: Callable[[str, str, str], float | None]
) -> Verdict:
    name, metric, data = text(check, "name"), text(check, "metric"), text(check, "data")
    value = measured(metric, data)
    alias = text(check, "versus")
    if alias:
        other = measured_of(alias, metric, data)
        if other is None:
            return Verdict(name, True, f"{metric} is {value:.6g}; there is no {alias} to compare with yet")
        gained, needed = better(metric, value, other), number(check, "minDelta")
        return Verdict(
            name,
            gained >= needed,
            f"{metric} is {value:.6g}, {alias} has {other:.6g}: better by {gained:.6g}, needed {needed:g}",
        )
    least, most = bound(check, "min"), bound(check, "max")
    holds = (least is None or value >= least) and (most is None or value <= most)
    wanted = [("at least", least), ("at most", most)]
    asked = " and ".join(f"{words} {limit:g}" for words, limit in wanted if limit is not None)
    return Verdict(name, holds, f"{metric} is {value:.6g}, asked is {asked}")


def missing_approvals(pipeline: Section, tags: Mapping[str, str], digest: str) -> tuple[int, tuple[str, ...]]:
    """How many approvals are missing for the version of this digest, and the groups that have not given theirs."""
    asked = section(pipeline, "approvals")
    groups = names(asked, "from")
    given = [group for group in groups if tags.get(f"{APPROVAL_TAG}{group}") == digest]
    return max(integer(asked, "minimum") - len(given), 0), tuple(group for group in groups if group not in given)


def refused(verdicts: Iterable[Verdict]) -> tuple[Verdict, ...]:
    """The lines that do not hold."""
    return tuple(verdict for verdict in verdicts if not verdict.holds)
