"""Diagnostics about valid specs that are probably mistakes: W0900 to W0906, W0908, W0909, W0911, W0938 to W0940."""

from __future__ import annotations

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.diagnostics.check.never_works import days
from modelyard.source import Span


def split_leaves_little(span: Span, fraction: float) -> Diagnostic:
    """A split leaves almost no rows to train on, or almost none to evaluate with.

    `fraction` is the share that is held out for the gate, not the share for training. Below 1% or above 50%, one of the
    two is hardly ever large enough.

    Wrong:

        pipelines: {retrain: {type: training, split: {fraction: 95%}, …}}

    Right:

        pipelines: {retrain: {type: training, split: {fraction: 5%}, …}}
    """
    share, rest = f"{100 * fraction:g}%", f"{100 - 100 * fraction:g}%"
    too_large = fraction > 0.5
    return Diagnostic(
        "W0900",
        Severity.WARNING,
        f"{share} of the rows are held out for the gate, and {rest} are for training",
        span,
        f"write {rest} to train on {share}" if too_large else "write 1% or more, so that the gate has rows to evaluate",
    )


def trains_too_often(span: Span, subject: str, gap_s: int) -> Diagnostic:
    """A training run on accelerators starts more often than once an hour.

    Each run waits for machines with accelerators, and pays for them while it loads images and data. To follow the data
    faster than that, let a monitor start the training when there is something to learn.

    Wrong:

        pipelines: {retrain: {type: training, compute: "L4:1", schedule: {cron: "* * * * *"}, …}}

    Right:

        pipelines: {retrain: {type: training, compute: "L4:1", schedule: {cron: "0 4 * * *"}, …}}
    """
    return Diagnostic(
        "W0901",
        Severity.WARNING,
        f"{subject} trains on accelerators every {days(gap_s)}",
        span,
        'use a schedule of once an hour at most, such as "0 * * * *", or once a day, "0 4 * * *"',
    )


def starts_too_often(span: Span, subject: str, gap_s: int) -> Diagnostic:
    """A pipeline or monitor starts every few minutes.

    Each pipeline run starts a Ray cluster, and each monitor run starts a Pod. Startup alone takes a minute or more, and
    a run that is still going when the next one is due is skipped or stopped. The shortest interval without this
    warning is five minutes.

    Wrong:

        pipelines: {features: {type: custom, schedule: {cron: "* * * * *"}, …}}

    Right:

        pipelines: {features: {type: custom, schedule: {cron: "*/15 * * * *"}, …}}
    """
    return Diagnostic(
        "W0902",
        Severity.WARNING,
        f"{subject} starts every {days(gap_s)}, which is hardly longer than starting takes",
        span,
        'use a schedule that starts it less often, such as "*/15 * * * *"',
    )


def timeout_beyond_next_start(span: Span, pipeline: str, timeout_s: int, gap_s: int, overlap: str) -> Diagnostic:
    """A run may take longer than the time to the next one, which is then skipped, or stops it.

    `overlap: forbid` skips starts while a run is going on, `overlap: replace` ends the run. Pipelines with
    `overlap: allow` are not reported, and neither are those without a `timeout`.

    Wrong:

        pipelines: {features: {schedule: {cron: "0 * * * *"}, timeout: 6h, …}}

    Right:

        pipelines: {features: {schedule: {cron: "0 * * * *"}, timeout: 50m, …}}
    """
    effect = "it stops the running one" if overlap == "replace" else "it is skipped while the previous one runs"
    return Diagnostic(
        "W0903",
        Severity.WARNING,
        f"a run of {quote(pipeline)} may take {days(timeout_s)}, and the next is due after {days(gap_s)}: {effect}",
        span,
        f"set a timeout below {days(gap_s)}, or a schedule with {days(timeout_s)} between two runs",
    )


def deadline_missed(span: Span, subject: str, deadline_s: int) -> Diagnostic:
    """A start may be late by less time than Kubernetes takes to notice that it is due.

    The CronJob controller checks every ten seconds. With a shorter `startingDeadline`, starts are missed at random.

    Wrong:

        schedule: {cron: "0 4 * * *", startingDeadline: 5s}

    Right:

        schedule: {cron: "0 4 * * *", startingDeadline: 5m}
    """
    return Diagnostic(
        "W0904",
        Severity.WARNING,
        f"{subject} may start {deadline_s} seconds late, but Kubernetes checks for due runs every 10 seconds",
        span,
        "set a minute or more",
    )


def size_implausible(span: Span, subject: str, size: str, small: bool) -> Diagnostic:
    """A disk or volume is smaller than what is written to it, or larger than any machine's.

    A Pod that writes more than its `disk` is evicted, and Ray's logs and a copy of a model alone take some hundred
    megabytes. PostgreSQL keeps a gigabyte of its log. Sizes from 1Gi to 256Ti are not reported.

    Wrong:

        compute: {train: {cpu: 4, memory: 16Gi, disk: 1M}}

    Right:

        compute: {train: {cpu: 4, memory: 16Gi, disk: 100Gi}}
    """
    reason = "less than is written to it" if small else "more than any machine has"
    return Diagnostic(
        "W0905",
        Severity.WARNING,
        f"{subject} has {size}, {reason}",
        span,
        "check the unit, and write 1Gi or more" if small else "check the unit, and write what one machine can have",
    )


def mirrors_what_serves(span: Span, shadow: str, serving: str, model: str) -> Diagnostic:
    """Requests are mirrored to the same version of a model that serves them.

    The answers are the same, so nothing is learned from the copies, and they cost money. Variants on another compute
    class are not reported: they try the hardware.

    Wrong:

        inference:
          scorer:
            variants: {live: {model: fraud@champion}, next: {model: fraud@champion}}
            mirror: {to: next}

    Right:

        inference:
          scorer:
            variants: {live: {model: fraud@champion}, next: {model: fraud@candidate}}
            mirror: {to: next}
    """
    return Diagnostic(
        "W0906",
        Severity.WARNING,
        f"{quote(shadow)} gets copies of requests that {quote(serving)} answers with the same {model}",
        span,
        f"name the version that {quote(shadow)} is to try, such as the alias that another pipeline promotes to",
    )


def one_value_searched(span: Span, parameter: str) -> Diagnostic:
    """A dimension of a search has a single value, so nothing is searched.

    Wrong:

        pipelines: {retrain: {tuning: {space: {max_depth: {int: [6, 6]}, eta: {uniform: [0.1, 0.3]}}, …}, …}}

    Right:

        pipelines: {retrain: {parameters: {max_depth: 6}, tuning: {space: {eta: {uniform: [0.1, 0.3]}}, …}, …}}
    """
    return Diagnostic(
        "W0908",
        Severity.WARNING,
        f"the search space of {quote(parameter)} has one value",
        span,
        "name further values, or write it under parameters instead",
    )


def fewer_combinations(span: Span, combinations: int, trials: int) -> Diagnostic:
    """A search has fewer combinations than trials, so some are tried twice.

    Wrong:

        tuning: {trials: {max: 50}, space: {max_depth: {int: [3, 6]}, tree_method: {choice: [hist, approx]}}, …}

    Right:

        tuning: {trials: {max: 8}, space: {max_depth: {int: [3, 6]}, tree_method: {choice: [hist, approx]}}, …}
    """
    return Diagnostic(
        "W0909",
        Severity.WARNING,
        f"the search has only {combinations} combinations for {trials} trials",
        span,
        f"write max: {combinations}, or widen the space",
    )


def delay_of_no_labels(span: Span, data: str) -> Diagnostic:
    """A dataset has a delay for labels but names no label, so the delay has no effect.

    Wrong:

        data: {chargebacks: {delay: 45d, store: lake, path: chargebacks/, format: parquet}}

    Right:

        data: {chargebacks: {delay: 45d, label: is_fraud, store: lake, path: chargebacks/, format: parquet}}
    """
    return Diagnostic(
        "W0911",
        Severity.WARNING,
        f"dataset {quote(data)} has a delay for labels, but no label",
        span,
        "name the column in label, or move delay to the dataset that has the labels",
    )


def given_and_searched(span: Span, parameter: str) -> Diagnostic:
    """A parameter has a fixed value and is also in the search space, so the value has no effect.

    Wrong:

        pipelines: {retrain: {parameters: {max_depth: 6}, tuning: {space: {max_depth: {int: [3, 9]}}, …}, …}}

    Right:

        pipelines: {retrain: {tuning: {space: {max_depth: {int: [3, 9]}}, …}, …}}
    """
    return Diagnostic(
        "W0938",
        Severity.WARNING,
        f"parameter {quote(parameter)} has a value here, but the search sets it as well",
        span,
        "remove it here, or from the search space",
    )


def variant_without_requests(span: Span, variant: str) -> Diagnostic:
    """A variant runs, but gets neither requests nor copies of them.

    Wrong:

        inference: {scorer: {variants: {live: {…}, next: {…}}, traffic: {live: 100}, …}}

    Right:

        inference: {scorer: {variants: {live: {…}, next: {…}}, traffic: {live: 90, next: 10}, …}}
    """
    return Diagnostic(
        "W0939",
        Severity.WARNING,
        f"variant {quote(variant)} gets no requests, and its replicas cost money",
        span,
        f"give it a share of traffic, or copies by mirror: {{to: {variant}}}, or remove it",
    )


def variants_alike(span: Span, variant: str, other: str, model: str) -> Diagnostic:
    """Two variants of an endpoint serve the same version on the same hardware, so nothing is compared.

    Wrong:

        inference: {scorer: {variants: {live: {model: fraud@champion}, next: {model: fraud@champion}}, …}}

    Right:

        inference: {scorer: {variants: {live: {model: fraud@champion}, next: {model: fraud@candidate}}, …}}
    """
    return Diagnostic(
        "W0940",
        Severity.WARNING,
        f"variants {quote(other)} and {quote(variant)} both answer with {model}",
        span,
        f"name the version that {quote(variant)} is to try, or remove it and add replicas",
    )
