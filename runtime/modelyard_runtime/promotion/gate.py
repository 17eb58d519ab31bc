"""The promotion gate. An alias moves only if every rule passes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from math import isnan
from typing import Protocol

from modelyard_runtime.capabilities import computes, known_metrics, reported_may_have
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.workload.description import Json
from modelyard_runtime.workload.records import Check, Pipeline

DIGEST_TAG = "modelyard.digest"
GATE_TAG = "modelyard.gate"
HELD = "held"
"""The tag's value for a version that passed the gate. A gate without rules, as for imported models, always passes."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A comparison of two versions on rows neither was trained on. `left_out` counts the excluded rows."""

    version: str
    value: float
    other: float
    rows: int
    left_out: int
    gained: float  # positive means better for every metric
    low: float  # the interval of the gain at the rule's confidence
    high: float


@dataclass(frozen=True, slots=True)
class Slice:
    """The rows with a given column value, i.e. their number and, if there are enough, the metric."""

    rows: int
    value: float | None


class Incomparable(Exception):
    """The versions can't be compared on the available data. The message gives the reason and a remedy."""


class Measures(Protocol):
    """The measurements of the new version on which a gate is based."""

    def value(self, line: Check) -> float:
        """Return the value of the metric that a rule uses."""
        ...

    def against(self, line: Check) -> Comparison | None:
        """Compare the metric with that of an alias's current version. Returns None if there is no such version."""
        ...

    def slices(self, line: Check) -> Mapping[str, Slice]:
        """Return the metric for each value of the column named in the rule."""
        ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict on a gate rule, with the reason as text. `figures` holds the underlying numbers."""

    name: str
    holds: bool
    reason: str
    figures: Mapping[str, Json] = field(default_factory=dict)


def check_gate(pipeline: Pipeline, task: str, own_code: bool) -> None:
    """Refuse rules whose metric can't be computed. User code only reports metrics for the new model."""
    for line in pipeline.validation:
        metric = line.metric
        options = {"versus": line.versus, "data": line.data, "by": line.by}
        unsupported = [name for name, value in options.items() if value and not reported_may_have(name)]
        if not computes(metric, task) and (not own_code or unsupported):
            available = ", ".join(known_metrics(task))
            raise Refusal(f"gate {line.name!r}: {metric!r} is not computed for {task}; supported: {available}")


def judge(pipeline: Pipeline, measures: Measures) -> tuple[Verdict, ...]:
    """Evaluate every rule of the gate."""
    return tuple(_judge_line(line, measures) for line in pipeline.validation)


def _judge_line(line: Check, measures: Measures) -> Verdict:
    name, metric = line.name, line.metric
    if line.versus:
        return _judge_against(line, measures)
    if line.by:
        return _judge_slices(line, measures.slices(line))
    try:
        value = measures.value(line)
    except Incomparable as problem:
        return Verdict(name, False, f"{metric} cannot be evaluated: {problem}", {"metric": metric})
    reason = f"{metric} is {value:.6g}, must be {_bounds_text(line)}"
    return Verdict(name, _within(line, value), reason, {"metric": metric, "value": value})


def _within(line: Check, value: float) -> bool:
    minimum, maximum = line.min, line.max
    return (minimum is None or value >= minimum) and (maximum is None or value <= maximum)


def _bounds_text(line: Check) -> str:
    bounds = [("at least", line.min), ("at most", line.max)]
    return " and ".join(f"{words} {limit:g}" for words, limit in bounds if limit is not None)


def _judge_slices(line: Check, slices: Mapping[str, Slice]) -> Verdict:
    """Pass if every slice with enough rows is within bounds and no two slices differ by more than allowed.

    The rule fails if a slice has no value, or if most rows are in slices too small to measure.
    """
    name, metric, by = line.name, line.metric, line.by
    values = {key: entry.value for key, entry in slices.items() if entry.value is not None and not isnan(entry.value)}
    slice_figures: dict[str, Json] = {key: {"rows": entry.rows, "value": entry.value} for key, entry in slices.items()}
    figures: dict[str, Json] = {"metric": metric, "by": by, "slices": slice_figures}
    total = sum(entry.rows for entry in slices.values())
    judged = sum(entry.rows for entry in slices.values() if entry.value is not None)
    if 2 * judged < total:
        reason = f"{metric} by {by} covers {judged} of {total} rows; the others are in slices with too few rows"
        return Verdict(name, False, reason, figures)
    unknown = [key for key, entry in slices.items() if entry.value is not None and isnan(entry.value)]
    if unknown:
        return Verdict(name, False, f"{metric} has no meaning for {by} {unknown[0]}", figures)
    worst, best = min(values, key=lambda key: values[key]), max(values, key=lambda key: values[key])
    difference = values[best] - values[worst]
    outside = [key for key, value in values.items() if not _within(line, value)]
    problems = [f"{by} {key} has {values[key]:.6g}, must be {_bounds_text(line)}" for key in outside[:_MOST_NAMED]]
    problems += [f"and {len(outside) - _MOST_NAMED} more"] if len(outside) > _MOST_NAMED else []
    allowed = line.max_difference
    if allowed is not None and len(values) < 2:
        problems.append(f"there is only one slice by {by}, {best}, so there is nothing to compare it with")
    elif allowed is not None and difference > allowed:
        problems.append(f"{by} {best} and {worst} differ by {difference:.6g}, but may differ by at most {allowed:g}")
    spread = f"{metric} by {by} is between {values[worst]:.6g} ({worst}) and {values[best]:.6g} ({best})"
    return Verdict(name, not problems, "; ".join([spread, *problems]), {**figures, "difference": difference})


_MOST_NAMED = 5


def _judge_against(line: Check, measures: Measures) -> Verdict:
    name, metric, alias = line.name, line.metric, line.versus
    try:
        comparison = measures.against(line)
    except Incomparable as problem:
        return Verdict(name, False, f"{metric} cannot be compared: {problem}", {"metric": metric})
    if comparison is None:
        value = measures.value(line)
        reason = f"{metric} is {value:.6g}; there is no {alias} to compare with yet"
        return Verdict(name, True, reason, {"metric": metric, "value": value})
    min_delta, confidence = line.min_delta, CONFIDENCE if line.confidence is None else line.confidence
    interval = f"{sureness(line):.4g} confidence: {comparison.low:.6g} to {comparison.high:.6g}"
    reason = (
        f"{metric} is {comparison.value:.6g}, {alias} has {comparison.other:.6g}: "
        f"better by {comparison.gained:.6g} ({interval}), "
        f"needed {'more than' if confidence else 'at least'} {min_delta:g}; "
        f"compared on {comparison.rows} rows that neither was trained on"
    )
    holds = comparison.low > min_delta if confidence else comparison.gained >= min_delta
    if not holds and confidence and comparison.gained > min_delta:
        reason += ", too few to tell the difference from chance"
    return Verdict(name, holds, reason, {"metric": metric, "confidence": sureness(line), **asdict(comparison)})


CONFIDENCE = 0.95


def sureness(line: Check) -> float:
    """Return the confidence level for a comparison's interval, even if the spec only uses the difference."""
    return line.confidence or CONFIDENCE


def refused(verdicts: Iterable[Verdict]) -> tuple[Verdict, ...]:
    """Return the rules that failed."""
    return tuple(verdict for verdict in verdicts if not verdict.holds)
