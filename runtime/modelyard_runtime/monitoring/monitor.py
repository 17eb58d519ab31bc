"""`monitor` measures all checks on the watched data once, reports metrics, and acts on breaches."""

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
from modelyard_runtime.monitoring.causes import MOST_CAUSES, Cause
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
    """A measured value of a check, and whether it is a breach.

    It's a breach if enough features are out of bounds in enough consecutive runs. See `Measure` for `variant`.
    """

    check: str
    feature: str
    value: float
    breach: bool
    variant: str = ""
    turn: Turn | None = None  # for a column that has drifted


def run() -> int:
    """Run once. Returns 0, even after a breach, unless something was refused or metrics couldn't be pushed."""
    workload = check_monitor(mounted_workload())
    now = datetime.now(UTC)
    state, unread = _state(workload, now)
    run_results = measure_run(workload, now, state)
    refusals = (*unread, *run_results.refusals)
    reported = report(workload, run_samples(workload, run_results, now), now.timestamp())
    breaches = [result for result in run_results.results if result.breach]
    sentences = [breach_text(workload, result) for result in breaches]
    for sentence in sentences:
        _log.warning("%s", sentence)
    for cause in run_results.causes[:MOST_CAUSES]:
        _log.warning("%s", cause_text(cause, of_errors=run_results.of_errors))
    if breaches:
        try:
            act(workload, now, frozenset(result.variant for result in breaches), reasons=sentences)
        except Refusal as of_action:  # if an action is refused, earlier refusals must still be reported
            refusals = (*refusals, of_action)
    if of_soaks(workload) and not run_results.refusals:
        witness(workload, run_results.soaking, now)
    if reported:  # if the state is not saved, the next attempt measures again
        state.save()
    for refusal in refusals:
        _log.error("%s", refusal)
    return 0 if reported and not refusals else 1


def _state(workload: MonitorWorkload, now: datetime) -> tuple[State, tuple[Refusal, ...]]:
    """Load the previous run's state. On failure, returns an empty state that isn't saved, and the reason."""
    try:
        return State.of(workload, now), ()
    except Refusal as refusal:
        return State(now.isoformat()), (refusal,)


def run_checks(
    workload: MonitorWorkload, now: datetime, state: State | None = None
) -> tuple[tuple[Result, ...], tuple[Refusal, ...]]:
    """Measure all checks, and return their values along with the reasons why any couldn't be measured."""
    run_results = measure_run(workload, now, State.of(workload, now) if state is None else state)
    return run_results.results, run_results.refusals


@dataclass(frozen=True, slots=True)
class RunResults:
    """The results of a run: measured values, values that couldn't be measured, and the share of labelled rows."""

    results: tuple[Result, ...]
    refusals: tuple[Refusal, ...]
    unknown: tuple[Unknown, ...] = ()
    coverage: Mapping[str, float] = field(default_factory=dict[str, float])  # by variant
    causes: tuple[Cause, ...] = ()  # associated with a breach, largest effect first
    of_errors: bool = False  # whether the causes are about errors instead of predictions
    soaking: Mapping[tuple[str, str], Judged] = field(default_factory=dict[tuple[str, str], Judged])


def measure_run(workload: MonitorWorkload, now: datetime, state: State) -> RunResults:
    """Measure everything that one monitor run reports."""
    monitor = workload.monitor
    measures = Explained(workload, now, state)
    results: list[Result] = []
    refusals: list[Refusal] = []
    unknown = measures.unknown
    for check in monitor.checks:
        name, count_before = check.name, len(results) + len(unknown)
        try:
            results += _sustained(check, [_judged(check, measurement) for measurement in measures.of(check)], state)
        except Refusal as refusal:
            refusals.append(refusal)
            unknown.append(Unknown(name, "", "it was refused"))
        if len(results) + len(unknown) == count_before:
            unknown.append(Unknown(name, "", "there is nothing to measure"))
    try:
        share = measures.coverage()
    except Refusal:  # a check has already reported why
        share = {}
    if refusals:  # the next run starts where this run did, so a refused check loses no rows
        state.keep("window", "page_hinkley")
    elif state.where is not None:
        measures.remember()
    causes = measures.causes(monitor.type) if any(measurement.breach for measurement in results) else []
    of_errors = monitor.type in LABELLED
    soaks = of_soaks(workload)
    soaking = measures.by_version(soaks) if soaks and not refusals else {}
    return RunResults(tuple(results), tuple(refusals), tuple(unknown), share, tuple(causes), of_errors, soaking)


def samples(
    workload: MonitorWorkload,
    results: tuple[Result, ...],
    now: datetime,
    unknown: tuple[Unknown, ...] = (),
    coverage: Mapping[str, float] = _NOTHING,
) -> list[Sample]:
    """Convert the results to metrics, including unknown values and the state of active bundles."""
    common_labels = labels_of(workload, "monitor")
    metrics = [
        Sample(COVERAGE, share, {**common_labels, "feature": variant or "all"}) for variant, share in coverage.items()
    ]
    for (check, feature), value in _unknown(results, unknown).items():
        metrics.append(Sample(UNKNOWN, value, {**common_labels, "check": check, "feature": feature}))
    for result in results:
        labels = {**common_labels, "check": result.check, "feature": result.feature or "all"}
        metrics += [Sample(VALUE, result.value, labels), Sample(BREACH, float(result.breach), labels)]
        if result.turn is not None and result.turn.direction:
            metrics.append(Sample(DIRECTION, result.turn.direction, labels))
    for model in workload.monitor.models:
        if model.bundle is not None:
            bundles = Bundles(workload, model, model.bundle)
            bundles.on_disk()
            metrics += bundle_samples(bundles, {**common_labels, "model": model.name})
    return [*metrics, Sample(LAST_RUN, now.timestamp(), common_labels)]


def breach_text(workload: MonitorWorkload, result: Result) -> str:
    """Describe a failed check in a sentence with its subject, value, bounds, severity and channels."""
    monitor = workload.monitor
    check = next(candidate for candidate in monitor.checks if candidate.name == result.check)
    bounds = {"at least": check.min, "at most": check.max}
    limits = [f"{name} {limit:g}" for name, limit in bounds.items() if limit is not None]
    oncall = workload.governance.owner.oncall
    recipients = monitor.on_breach.notify or [oncall or "nobody: the spec names no channel"]
    return (
        f"check {result.check} of {monitor.watch} failed: {result.feature or 'the window'} is "
        f"{result.value:g}, must be {' and '.join(limits)}{_turned(result)}; "
        f"{check.severity}, sent to {', '.join(recipients)}"
    )


def cause_text(cause: Cause, *, of_errors: bool) -> str:
    """Describe a cause associated with a breach in a sentence."""
    if of_errors:
        return f"rows with {cause.feature} {cause.part} add {cause.effect:g} to the mean error"
    return f"{cause.feature} moved the mean prediction by {cause.effect:+g}, most where it is {cause.part}"


def run_samples(workload: MonitorWorkload, run_results: RunResults, now: datetime) -> list[Sample]:
    """Return a run's metrics, including the causes associated with its breaches."""
    common_labels = labels_of(workload, "monitor")
    name = ERRORS_BY if run_results.of_errors else MOVED_BY
    causes = [
        Sample(name, cause.effect, {**common_labels, "feature": cause.feature})
        for cause in run_results.causes[:MOST_CAUSES]
    ]
    return [*samples(workload, run_results.results, now, run_results.unknown, run_results.coverage), *causes]


def _turned(result: Result) -> str:
    """Describe the direction and location of a change, if known."""
    return f" ({result.turn.words})" if result.turn is not None else ""


def _judged(check: Check, measure: Measure) -> Result:
    """Judge whether a value violates its bounds and, for drift, whether the difference is significant."""
    breach = beyond(check, measure.value) and measure.chance <= UNLIKELY
    turn = measure.moved.turn() if breach and measure.moved is not None else None
    return Result(check.name, measure.feature, measure.value, breach, measure.variant, turn)


def _sustained(check: Check, results: list[Result], state: State) -> list[Result]:
    """Keep a breach only if enough features are out of bounds in enough consecutive runs."""
    failed = {result.feature for result in results if result.breach}
    required = check.consecutive or 1
    if required > 1:
        counts = state.in_a_row(check.name, [result.feature for result in results], failed)
        failed = {name for name in failed if counts[name] >= required}
    failed_by_variant = Counter(result.variant for result in results if result.feature in failed)
    fewest = check.min_features or 1
    return [
        replace(result, breach=result.feature in failed and failed_by_variant[result.variant] >= fewest)
        for result in results
    ]


def _unknown(results: tuple[Result, ...], unknown: tuple[Unknown, ...]) -> dict[tuple[str, str], float]:
    """Return whether each check is unknown as a whole (0 or 1), along with unknown features and variants."""
    values = dict.fromkeys(((entry.check, "all") for entry in results), 0.0)
    return values | dict.fromkeys(((entry.check, entry.feature or "all") for entry in unknown), 1.0)


def tell(
    workload: MonitorWorkload,
    results: tuple[Result, ...],
    now: datetime,
    unknown: tuple[Unknown, ...] = (),
    coverage: Mapping[str, float] = _NOTHING,
) -> bool:
    """Push the metrics, or only log them if the description names no receiver."""
    return report(workload, samples(workload, results, now, unknown, coverage), now.timestamp())
