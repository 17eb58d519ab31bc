"""Diagnostics about valid specs that are probably mistakes: W0900 to W0911, W0938 to W0940, W0950 and W0951."""

from __future__ import annotations

from collections.abc import Sequence

from modelyard.diagnostics.base import Diagnostic, Severity, joined, quote
from modelyard.diagnostics.check.never_works import days
from modelyard.source import Span


def split_leaves_little(span: Span, fraction: float) -> Diagnostic:
    """A split leaves almost no rows for training, or almost none for evaluation.

    `fraction` is the share of rows held out for the gate, not the share for training. Below 1% or above 50%, one of the
    two is rarely large enough.

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
        f"{share} of the rows are held out for the gate, which leaves {rest} for training",
        span,
        f"set `fraction` to {rest} to train on {share}" if too_large else "set `fraction` to 1% or more",
    )


def trains_too_often(span: Span, subject: str, gap_s: int) -> Diagnostic:
    """A training run on accelerators starts more often than once an hour.

    Each run waits for machines with accelerators, and you pay for them while it loads images and data. To react faster
    to new data, let a monitor start training when the data drifts.

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
        'schedule it at most hourly, with "0 * * * *", or daily, with "0 4 * * *"',
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
        f"{subject} starts every {days(gap_s)}, but startup alone takes a minute or more",
        span,
        'schedule it less often, such as "*/15 * * * *"',
    )


def timeout_beyond_next_start(span: Span, pipeline: str, timeout_s: int, gap_s: int, overlap: str) -> Diagnostic:
    """A run may still be active when the next one is due, which is then skipped or stops the active run.

    `overlap: forbid` skips starts while a run is active, and `overlap: replace` stops the active run. Pipelines with
    `overlap: allow` or without a `timeout` are not reported.

    Wrong:

        pipelines: {features: {schedule: {cron: "0 * * * *"}, timeout: 6h, …}}

    Right:

        pipelines: {features: {schedule: {cron: "0 * * * *"}, timeout: 50m, …}}
    """
    effect = "and stops it" if overlap == "replace" else "and is skipped"
    return Diagnostic(
        "W0903",
        Severity.WARNING,
        f"a run of {quote(pipeline)} may take {days(timeout_s)}, but the next is due after {days(gap_s)} {effect}",
        span,
        f"set `timeout` below {days(gap_s)}, or schedule runs at least {days(timeout_s)} apart",
    )


def deadline_missed(span: Span, subject: str, deadline_s: int) -> Diagnostic:
    """The allowed start delay is shorter than Kubernetes may take to notice that a run is due.

    The CronJob controller checks every ten seconds. With a shorter `startingDeadline`, runs are skipped at random.

    Wrong:

        schedule: {cron: "0 4 * * *", startingDeadline: 5s}

    Right:

        schedule: {cron: "0 4 * * *", startingDeadline: 5m}
    """
    return Diagnostic(
        "W0904",
        Severity.WARNING,
        f"{subject} may start at most {deadline_s} seconds late, but Kubernetes checks only every 10 seconds",
        span,
        "set `startingDeadline` to a minute or more",
    )


def size_implausible(span: Span, subject: str, size: str, small: bool) -> Diagnostic:
    """A disk or volume is too small for the data that is written to it, or larger than any machine's disk.

    A Pod that writes more than its `disk` is evicted. Ray's logs and a copy of a model alone need several hundred
    megabytes, and PostgreSQL keeps a gigabyte of write-ahead log. Sizes from 1Gi to 256Ti are not reported.

    Wrong:

        compute: {train: {cpu: 4, memory: 16Gi, disk: 1M}}

    Right:

        compute: {train: {cpu: 4, memory: 16Gi, disk: 100Gi}}
    """
    reason = "less than its data needs" if small else "more than any machine has"
    return Diagnostic(
        "W0905",
        Severity.WARNING,
        f"{subject} is {size}, which is {reason}",
        span,
        "check the unit, and set 1Gi or more"
        if small
        else "check the unit, and choose a size that a single machine can have",
    )


def mirrors_what_serves(span: Span, shadow: str, serving: str, model: str) -> Diagnostic:
    """Requests are mirrored to the same model version that already serves them.

    The responses are the same, so the copies cost money without any benefit. Variants on another compute class are not
    reported, because they test the hardware.

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
        f"requests to variant {quote(serving)} are mirrored to {quote(shadow)}, but both serve {model}",
        span,
        f"set the version that {quote(shadow)} should test, such as an alias that another pipeline promotes to",
    )


def one_value_searched(span: Span, parameter: str) -> Diagnostic:
    """A dimension of the search space has a single value, so it is not searched.

    Wrong:

        pipelines: {retrain: {tuning: {space: {max_depth: {int: [6, 6]}, eta: {uniform: [0.1, 0.3]}}, …}, …}}

    Right:

        pipelines: {retrain: {parameters: {max_depth: 6}, tuning: {space: {eta: {uniform: [0.1, 0.3]}}, …}, …}}
    """
    return Diagnostic(
        "W0908",
        Severity.WARNING,
        f"the search space for {quote(parameter)} has only one value",
        span,
        "add more values, or set the value under `parameters` instead",
    )


def fewer_combinations(span: Span, combinations: int, trials: int) -> Diagnostic:
    """A search space has fewer combinations than the search has trials, so some are tried twice.

    Wrong:

        tuning: {trials: {max: 50}, space: {max_depth: {int: [3, 6]}, tree_method: {choice: [hist, approx]}}, …}

    Right:

        tuning: {trials: {max: 8}, space: {max_depth: {int: [3, 6]}, tree_method: {choice: [hist, approx]}}, …}
    """
    return Diagnostic(
        "W0909",
        Severity.WARNING,
        f"the search space has only {combinations} combinations for {trials} trials",
        span,
        f"set `max: {combinations}`, or widen the search space",
    )


def delay_of_no_labels(span: Span, data: str) -> Diagnostic:
    """A dataset has a label delay but no label, so the delay has no effect.

    Wrong:

        data: {chargebacks: {delay: 45d, store: lake, path: chargebacks/, format: parquet}}

    Right:

        data: {chargebacks: {delay: 45d, label: is_fraud, store: lake, path: chargebacks/, format: parquet}}
    """
    return Diagnostic(
        "W0911",
        Severity.WARNING,
        f"dataset {quote(data)} has a label delay, but no label",
        span,
        "set `label` to the label column, or move `delay` to the dataset that has the labels",
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
        f"parameter {quote(parameter)} has a fixed value, but the search also sets it",
        span,
        "remove it from `parameters` or from the search space",
    )


def variant_without_requests(span: Span, variant: str) -> Diagnostic:
    """A variant runs, but receives neither live nor mirrored requests.

    Wrong:

        inference: {scorer: {variants: {live: {…}, next: {…}}, traffic: {live: 100}, …}}

    Right:

        inference: {scorer: {variants: {live: {…}, next: {…}}, traffic: {live: 90, next: 10}, …}}
    """
    return Diagnostic(
        "W0939",
        Severity.WARNING,
        f"variant {quote(variant)} receives no requests, but its replicas cost money",
        span,
        f"give it a share of `traffic`, mirror requests to it with `mirror: {{to: {variant}}}`, or remove it",
    )


def variants_alike(span: Span, variant: str, other: str, model: str) -> Diagnostic:
    """Two variants of an endpoint serve the same version on the same hardware, so there is nothing to compare.

    Wrong:

        inference: {scorer: {variants: {live: {model: fraud@champion}, next: {model: fraud@champion}}, …}}

    Right:

        inference: {scorer: {variants: {live: {model: fraud@champion}, next: {model: fraud@candidate}}, …}}
    """
    return Diagnostic(
        "W0940",
        Severity.WARNING,
        f"variants {quote(other)} and {quote(variant)} both serve {model}",
        span,
        f"set the version that {quote(variant)} should test, or remove it and add replicas",
    )


def memory_of_a_worker(span: Span, subject: str, size: str, processes: int) -> Diagnostic:
    """A Ray worker has less memory than Ray and the model libraries need before reading any data.

    Ray itself takes about 300 MiB, and each worker process up to another 300 MiB. A worker has one process, or two in
    built-in scoring: the step and its scorer. When a worker's memory is used up, Ray kills processes and restarts them
    until the pipeline's `timeout`. Workers with at least 1.5 GiB for scoring, or 768 MiB for other work, are not
    reported.

    Wrong:

        pipelines: {nightly: {type: batch-inference, compute: {cpu: 1, memory: 1Gi}, …}}

    Right:

        pipelines: {nightly: {type: batch-inference, compute: {cpu: 1, memory: 2Gi}, …}}
    """
    work = "Ray and one process with the libraries of models" if processes == 1 else "Ray, a step and its scorer"
    return Diagnostic(
        "W0950",
        Severity.WARNING,
        f"a worker of {subject} has {size} of memory, but {work} need more",
        span,
        "set 1Gi or more" if processes == 1 else "set 2Gi or more",
    )


def scaling_without_range(span: Span, endpoint: str, fields: Sequence[str]) -> Diagnostic:
    """An endpoint has settings for the autoscaler, but its number of replicas is fixed.

    Only `maxQueued` has an effect without an autoscaler. Replicas that an environment sets are not reported, because
    the settings may be meant for other environments.

    Wrong:

        inference: {scorer: {replicas: 2, scaling: {target: 8}, …}}

    Right:

        inference: {scorer: {replicas: {min: 2, max: 6}, scaling: {target: 8}, …}}
    """
    listed = joined(f"`{field}`" for field in fields)
    return Diagnostic(
        "W0951",
        Severity.WARNING,
        f"{listed} of `scaling` {'has' if len(fields) == 1 else 'have'} no effect, "
        f"because endpoint {quote(endpoint)} has a fixed number of replicas",
        span,
        "set `replicas: {min: …, max: …}`, or remove the settings",
    )
