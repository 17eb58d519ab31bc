"""`monitor`: one run over the watched data. It measures the checks, reports metrics, and acts on a breach."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import MappingProxyType

from modelyard_runtime.models.bundle_metrics import samples as bundle_samples
from modelyard_runtime.models.loading import Bundles
from modelyard_runtime.monitoring.breach import act
from modelyard_runtime.monitoring.causes import MOST_TOLD, Cause
from modelyard_runtime.monitoring.checks import check_monitor
from modelyard_runtime.monitoring.explained import LABELLED, Explained, beyond
from modelyard_runtime.monitoring.measures import Measure, Unknown
from modelyard_runtime.monitoring.state import State
from modelyard_runtime.promotion.soak import Judged, of_soaks, witness
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.statistics.chance import UNLIKELY
from modelyard_runtime.statistics.drift import Turn
from modelyard_runtime.telemetry.otlp import Sample
from modelyard_runtime.telemetry.reported import labels_of, report
from modelyard_runtime.workload.mounted import mounted_workload
from modelyard_runtime.workload.records import Check, MonitorWorkload

VALUE = "modelyard_monitor_value"
BREACH = "modelyard_monitor_breach"
UNKNOWN = "modelyard_monitor_unknown"
COVERAGE = "modelyard_monitor_coverage"
MOVED_BY = "modelyard_monitor_moved_by"
ERRORS_BY = "modelyard_monitor_errors_by"
DIRECTION = "modelyard_monitor_direction"
LAST_RUN = "modelyard_monitor_last_run_seconds"

_NOTHING: Mapping[str, float] = MappingProxyType({})
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Result:
    """A measured value of a check, and whether it is a breach: out of bounds for enough features and enough runs in a
    row.

    `variant` as in `Measure`.
    """

    check: str
    feature: str
    value: float
    breach: bool
    variant: str = ""
    turn: Turn | None = None  # of a column that has moved


def run() -> int:
    """Run once. A breach is not a failure: 0 means that nothing was refused and the metrics arrived."""
    workload = check_monitor(mounted_workload())
    now = datetime.now(UTC)
    state, unread = _state(workload, now)
    found = looked(workload, now, state)
    refusals = (*unread, *found.refusals)
    told = report(workload, look_samples(workload, found, now), now.timestamp())
    breaches = [one for one in found.results if one.breach]
    why = [breach_text(workload, one) for one in breaches]
    for sentence in why:
        _log.warning("%s", sentence)
    for cause in found.causes[:MOST_TOLD]:
        _log.warning("%s", cause_text(cause, of_errors=found.of_errors))
    if breaches:
        try:
            act(workload, now, frozenset(one.variant for one in breaches), why=why)
        except Refusal as of_action:  # it must not hide earlier refusals
            refusals = (*refusals, of_action)
    if of_soaks(workload) and not found.refusals:
        witness(workload, found.soaking, now)
    if told:  # otherwise the next attempt measures again
        state.save()
    for refusal in refusals:
        _log.error("%s", refusal)
    return 0 if told and not refusals else 1


def _state(workload: MonitorWorkload, now: datetime) -> tuple[State, tuple[Refusal, ...]]:
    """The state of the previous run; if it cannot be read, an empty one that is not saved, and the reason."""
    try:
        return State.of(workload, now), ()
    except Refusal as refusal:
        return State(now.isoformat()), (refusal,)


def look(
    workload: MonitorWorkload, now: datetime, state: State | None = None
) -> tuple[tuple[Result, ...], tuple[Refusal, ...]]:
    """The values of all checks, and why some could not be measured; these do not block the others."""
    found = looked(workload, now, State.of(workload, now) if state is None else state)
    return found.results, found.refusals


@dataclass(frozen=True, slots=True)
class Look:
    """The results of a run: measured values, what could not be measured, and the share of predictions with a label."""

    results: tuple[Result, ...]
    refusals: tuple[Refusal, ...]
    unknown: tuple[Unknown, ...] = ()
    coverage: Mapping[str, float] = field(default_factory=dict[str, float])  # by variant
    causes: tuple[Cause, ...] = ()  # of a breach, largest effect first
    of_errors: bool = False  # whether the causes are about errors; otherwise about predictions
    soaking: Mapping[tuple[str, str], Judged] = field(default_factory=dict[tuple[str, str], Judged])


def looked(workload: MonitorWorkload, now: datetime, state: State) -> Look:
    """Measure everything that one run of the monitor reports."""
    monitor = workload.monitor
    measures = Explained(workload, now, state)
    found: list[Result] = []
    refusals: list[Refusal] = []
    unknown = measures.unknown
    for check in monitor.checks:
        name, known = check.name, len(found) + len(unknown)
        try:
            found += _lasting(check, [_judged(check, one) for one in measures.of(check)], state)
        except Refusal as refusal:
            refusals.append(refusal)
            unknown.append(Unknown(name, "", "it was refused"))
        if len(found) + len(unknown) == known:
            unknown.append(Unknown(name, "", "there is nothing to measure"))
    try:
        share = measures.coverage()
    except Refusal:  # a check has already reported why
        share = {}
    if refusals:  # the next run starts where this one did, so that no row is lost to a refused check
        state.keep("window", "page_hinkley")
    elif state.where is not None:
        measures.remember()
    causes = measures.causes(monitor.type) if any(one.breach for one in found) else []
    of_errors = monitor.type in LABELLED
    soaks = of_soaks(workload)
    soaking = measures.by_version(soaks) if soaks and not refusals else {}
    return Look(tuple(found), tuple(refusals), tuple(unknown), share, tuple(causes), of_errors, soaking)


def samples(
    workload: MonitorWorkload,
    results: tuple[Result, ...],
    now: datetime,
    unknown: tuple[Unknown, ...] = (),
    coverage: Mapping[str, float] = _NOTHING,
) -> list[Sample]:
    """The results as metrics, with the unknown values and the state of the bundles that they depend on."""
    own = labels_of(workload, "monitor")
    found = [Sample(COVERAGE, share, {**own, "feature": variant or "all"}) for variant, share in coverage.items()]
    for (check, feature), value in _unknown(results, unknown).items():
        found.append(Sample(UNKNOWN, value, {**own, "check": check, "feature": feature}))
    for one in results:
        labels = {**own, "check": one.check, "feature": one.feature or "all"}
        found += [Sample(VALUE, one.value, labels), Sample(BREACH, float(one.breach), labels)]
        if one.turn is not None and one.turn.direction:
            found.append(Sample(DIRECTION, one.turn.direction, labels))
    for model in workload.monitor.models:
        if model.bundle is not None:
            bundles = Bundles(workload, model, model.bundle)
            bundles.on_disk()
            found += bundle_samples(bundles, {**own, "model": model.name})
    return [*found, Sample(LAST_RUN, now.timestamp(), own)]


def breach_text(workload: MonitorWorkload, found: Result) -> str:
    """A failed check in a sentence: what it is about, the value and the bounds, its severity, and who is notified."""
    monitor = workload.monitor
    check = next(one for one in monitor.checks if one.name == found.check)
    bounds = {"min": check.min, "max": check.max}
    limits = [f"{name} {limit:g}" for name, limit in bounds.items() if limit is not None]
    oncall = workload.governance.owner.oncall
    told = monitor.on_breach.notify or [oncall or "nobody: the spec names no channel"]
    return (
        f"check {found.check} of {monitor.watch} does not hold: {found.feature or 'the window'} is "
        f"{found.value:g}, asked is {' and '.join(limits)}{_turned(found)}; "
        f"{check.severity}, told to {', '.join(told)}"
    )


def cause_text(cause: Cause, *, of_errors: bool) -> str:
    """A cause associated with a breach, in a sentence."""
    if of_errors:
        return f"rows with {cause.feature} {cause.part} add {cause.effect:g} to the mean error"
    return f"{cause.feature} moved the mean prediction by {cause.effect:+g}, most where it is {cause.part}"


def look_samples(workload: MonitorWorkload, found: Look, now: datetime) -> list[Sample]:
    """The metrics of a run, including the causes associated with its breaches."""
    own = labels_of(workload, "monitor")
    name = ERRORS_BY if found.of_errors else MOVED_BY
    causes = [Sample(name, one.effect, {**own, "feature": one.feature}) for one in found.causes[:MOST_TOLD]]
    return [*samples(workload, found.results, now, found.unknown, found.coverage), *causes]


def _turned(found: Result) -> str:
    """The direction and location of a change, if known."""
    return f" ({found.turn.words})" if found.turn is not None else ""


def _judged(check: Check, measure: Measure) -> Result:
    """Whether a value violates its bounds and, for drift, whether it is more than chance."""
    breach = beyond(check, measure.value) and measure.chance <= UNLIKELY
    turn = measure.moved.turn() if breach and measure.moved is not None else None
    return Result(check.name, measure.feature, measure.value, breach, measure.variant, turn)


def _lasting(check: Check, results: list[Result], state: State) -> list[Result]:
    """The results, keeping a breach only if enough features are out of bounds, in enough runs in a row."""
    failed = {one.feature for one in results if one.breach}
    asked = check.consecutive or 1
    if asked > 1:
        counts = state.in_a_row(check.name, [one.feature for one in results], failed)
        failed = {name for name in failed if counts[name] >= asked}
    many = Counter(one.variant for one in results if one.feature in failed)
    fewest = check.min_features or 1
    return [replace(one, breach=one.feature in failed and many[one.variant] >= fewest) for one in results]


def _unknown(results: tuple[Result, ...], unknown: tuple[Unknown, ...]) -> dict[tuple[str, str], float]:
    """For each check, whether it is unknown as a whole (0 or 1), and its unknown features and variants."""
    found = dict.fromkeys(((one.check, "all") for one in results), 0.0)
    return found | dict.fromkeys(((one.check, one.feature or "all") for one in unknown), 1.0)


def tell(
    workload: MonitorWorkload,
    results: tuple[Result, ...],
    now: datetime,
    unknown: tuple[Unknown, ...] = (),
    coverage: Mapping[str, float] = _NOTHING,
) -> bool:
    """Push the metrics; if the description names no receiver, only log them."""
    return report(workload, samples(workload, results, now, unknown, coverage), now.timestamp())
