"""Diagnostics about systems that deploy but never work: W0808, E0810 to E0815, E0843, W0844 and E0907."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from modelyard.diagnostics.base import Diagnostic, Severity, nearest, quote
from modelyard.source import Span


def alias_never_set(
    span: Span, model: str, alias: str, promoted: Sequence[str], *, staged: bool, imported: bool = False
) -> Diagnostic:
    """An endpoint or batch-inference pipeline uses a model alias that nothing sets.

    It would have no version until someone sets the alias by hand, bypassing the gate and the approvals. Training
    pipelines and imports set the alias in `promoteTo`, which is champion by default. Aliases of models that the spec
    neither trains nor imports are not checked.

    Wrong:

        pipelines: {retrain: {type: training, model: fraud, promoteTo: candidate, …}}
        inference: {scorer: {variants: {live: {model: fraud@champion}}, …}}

    Right:

        pipelines:
          retrain: {type: training, model: fraud, …}
          try-out: {type: training, model: fraud, promoteTo: candidate, …}
        inference: {scorer: {variants: {live: {model: fraud@champion}}, …}}
    """
    aliases = ", ".join(promoted)
    message = "no pipeline sets alias {} for model {}: the model's pipelines promote to {}"
    alternative = f"add a training pipeline with `promoteTo: {alias}`"
    if imported:
        message = "the import does not set alias {} for model {}: it promotes to {}"
        alternative = f"set `promoteTo: {alias}` in the import"
    if staged:
        alternative = f"add {alias} to the stages of {model}"
    return Diagnostic(
        "E0810",
        Severity.ERROR,
        message.format(quote(alias), quote(model), aliases),
        span,
        f"use {model}@{promoted[0]}, or {alternative}",
        follows=True,  # caused by a pipeline with another error
    )


def parameter_unknown(span: Span, parameter: str, trainer: str, known: Iterable[str]) -> Diagnostic:
    """`parameters` or the search space names a parameter that the built-in trainer does not have.

    Each run would start its machines and then fail. Parameters have the names of the library's scikit-learn interface.

    Wrong:

        pipelines: {retrain: {trainer: xgboost, parameters: {max_dept: 6}, …}}

    Right:

        pipelines: {retrain: {trainer: xgboost, parameters: {max_depth: 6}, …}}
    """
    names = list(known)
    return Diagnostic(
        "E0811",
        Severity.ERROR,
        f"the {trainer} trainer has no parameter {quote(parameter)}",
        span,
        nearest(parameter, names, "did you mean {}?") or f"choose one of {', '.join(names[:6])}, …" if names else "",
    )


def parameter_out_of_range(span: Span, parameter: str, trainer: str, value: str, hint: str) -> Diagnostic:
    """A built-in trainer rejects this value of a parameter, or learns nothing with it.

    Values in a search space are also checked. A network trained for zero epochs, for example, has learned nothing.

    Wrong:

        pipelines: {retrain: {trainer: pytorch, parameters: {epochs: 0}, …}}

    Right:

        pipelines: {retrain: {trainer: pytorch, parameters: {epochs: 20}, …}}
    """
    message = f"parameter {quote(parameter)} of the {trainer} trainer cannot be {value}"
    return Diagnostic("E0907", Severity.ERROR, message, span, hint)


def estimator_unknown(span: Span, estimator: str, known: Sequence[str]) -> Diagnostic:
    """The scikit-learn trainer has no built-in estimator with this name.

    Wrong:

        pipelines: {retrain: {trainer: scikit-learn, parameters: {estimator: svm}, …}}

    Right:

        pipelines: {retrain: {trainer: scikit-learn, parameters: {estimator: linear}, …}}
    """
    return Diagnostic(
        "E0812",
        Severity.ERROR,
        f"estimator {quote(estimator)} is not built in",
        span,
        nearest(estimator, known, "did you mean {}?") or f"choose one of {', '.join(known)}",
    )


def bucket_without_access(span: Span, store: str, target: str, addressed: bool) -> Diagnostic:
    """A target adopts a bucket without credentials.

    Workloads on such a cluster have no identity that an object store trusts, so every read and write would be refused.
    A bucket of a service other than Amazon S3 also needs `endpoint`.

    Wrong:

        stores: {lake: {type: object, adopt: acme-lake}}

    Right:

        stores:
          lake: {type: object, adopt: acme-lake, endpoint: "https://s3.acme.example", credentials: secret://vault/lake}
    """
    missing = "credentials" if addressed else "endpoint or credentials"
    return Diagnostic(
        "E0813",
        Severity.ERROR,
        f"target {quote(target)} cannot access the bucket for store {quote(store)}, which has no {missing}",
        span,
        "set `credentials` to a secret reference" + ("" if addressed else ", and `endpoint` to the service's URL"),
    )


def labels_after_captures(span: Span, labels: str, delay_s: int, endpoint: str, retain_s: int) -> Diagnostic:
    """Labels arrive after the matching requests are deleted, so the monitor never evaluates a prediction.

    Wrong:

        data: {chargebacks: {label: is_fraud, delay: 45d, …}}
        inference: {scorer: {capture: {retain: 30d}, …}}
        monitors: {quality: {watch: inference.scorer, labels: chargebacks, …}}

    Right:

        data: {chargebacks: {label: is_fraud, delay: 45d, …}}
        inference: {scorer: {capture: {retain: 90d}, …}}
        monitors: {quality: {watch: inference.scorer, labels: chargebacks, …}}
    """
    return Diagnostic(
        "E0814",
        Severity.ERROR,
        f"labels in {quote(labels)} arrive after {days(delay_s)}, but captures of endpoint {quote(endpoint)} "
        f"are deleted after {days(retain_s)}",
        span,
        f"keep captures for longer than {days(delay_s)}",
    )


def window_beyond_captures(span: Span, monitor: str, needed_s: int, endpoint: str, retain_s: int) -> Diagnostic:
    """A monitor looks further back than captures are kept, so part of its window is always empty.

    A monitor with labels looks back over its window plus the labels' delay.

    Wrong:

        inference: {scorer: {capture: {retain: 7d}, …}}
        monitors: {drift: {watch: inference.scorer, window: 30d, …}}

    Right:

        inference: {scorer: {capture: {retain: 30d}, …}}
        monitors: {drift: {watch: inference.scorer, window: 30d, …}}
    """
    return Diagnostic(
        "W0815",
        Severity.WARNING,
        f"monitor {quote(monitor)} looks back {days(needed_s)}, but captures of endpoint {quote(endpoint)} "
        f"are deleted after {days(retain_s)}",
        span,
        f"keep captures for {days(needed_s)}, or shorten the window",
    )


def days(seconds: int) -> str:
    """Format a duration in spec syntax, using the largest of days, hours and minutes that divides it."""
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds % length == 0:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"


def window_beyond_retention(span: Span, data: str, window_s: int, store: str, retention_s: int) -> Diagnostic:
    """A monitor reads older data than its store keeps.

    Wrong:

        stores: {lake: {type: object, retention: 14d}}
        monitors: {drift: {reference: {data: claims, window: 30d}, …}}

    Right:

        stores: {lake: {type: object, retention: 60d}}
        monitors: {drift: {reference: {data: claims, window: 30d}, …}}
    """
    return Diagnostic(
        "W0808",
        Severity.WARNING,
        f"this reads {days(window_s)} of {quote(data)}, but store {quote(store)} keeps objects for {days(retention_s)}",
        span,
        f"keep objects for {days(window_s)}, or shorten the window",
    )


def output_not_writable(span: Span, data: str) -> Diagnostic:
    """A batch-inference pipeline writes to a dataset of format json, which built-in scoring can only read.

    Wrong:

        data: {scores: {store: lake, path: scores, format: json}}
        pipelines: {nightly: {type: batch-inference, output: scores, …}}

    Right:

        data: {scores: {store: lake, path: scores, format: parquet}}
        pipelines: {nightly: {type: batch-inference, output: scores, …}}
    """
    return Diagnostic(
        "E0843",
        Severity.ERROR,
        f"built-in scoring cannot write {quote(data)}, whose format is json",
        span,
        "use parquet or csv, or score with your own entrypoint",
    )


def trains_another_model(span: Span, pipeline: str, model: str, watched: str) -> Diagnostic:
    """A breach trains a different model from the one that the monitor watches.

    The drifted model does not change, and the monitor reports the same breach again.

    Wrong:

        inference: {scorer: {variants: {live: {model: fraud@champion}}, …}}
        pipelines: {retrain-churn: {type: training, model: churn, …}}
        monitors: {drift: {watch: inference.scorer, onBreach: {run: pipelines.retrain-churn}, …}}

    Right:

        inference: {scorer: {variants: {live: {model: fraud@champion}}, …}}
        pipelines: {retrain-fraud: {type: training, model: fraud, …}}
        monitors: {drift: {watch: inference.scorer, onBreach: {run: pipelines.retrain-fraud}, …}}
    """
    return Diagnostic(
        "W0844",
        Severity.WARNING,
        f"pipeline {quote(pipeline)} trains model {quote(model)}, which {watched} does not use",
        span,
        "run the pipeline that trains the watched model",
    )
