"""Diagnostics about references and missing choices in a spec: E03."""

from __future__ import annotations

from collections.abc import Iterable

from modelyard.diagnostics.base import Diagnostic, Severity, nearest_name, quote
from modelyard.nearest import is_typo
from modelyard.records import replace
from modelyard.source import Span


def _error(code: str, message: str, span: Span, hint: str = "") -> Diagnostic:
    return Diagnostic(code, Severity.ERROR, message, span, hint)


def _missing(code: str, message: str, span: Span, hint: str = "") -> Diagnostic:
    return Diagnostic(code, Severity.ERROR, message, span, hint, lacks=True)


def _one_of(names: Iterable[str]) -> str:
    """List the first few names for a hint."""
    listed = list(names)
    shown = ", ".join(listed[:5])
    return f"{shown}, …" if len(listed) > 5 else shown


def unknown_reference(
    span: Span, kind: str, name: str, known: Iterable[str], deleted: Span | None = None
) -> Diagnostic:
    """A name is used that is declared nowhere.

    References are bare names of entries in the section that the field refers to. All are resolved before anything is
    deployed, so a typo is reported here and not by a Pod that waits for data.

    Wrong:

        data: {transactions: {store: lake, path: transactions/, format: parquet}}
        pipelines: {retrain: {type: training, model: fraud, inputs: [transactons], compute: cpu}}

    Right:

        pipelines: {retrain: {type: training, model: fraud, inputs: [transactions], compute: cpu}}
    """
    if deleted is not None:
        place = f"line {deleted.line} of {deleted.file}"
        return _missing("E0301", f"there is no {kind} {quote(name)}", span, f"the environment deletes it in {place}")
    known = list(known)
    near = nearest_name(name, known)
    if near is not None:
        unknown = _missing("E0301", f"there is no {kind} {quote(name)}", span, f"did you mean '{near}'?")
        return replace(unknown, meant=(name, near)) if is_typo(name, near) else unknown
    hint = f"known: {_one_of(known)}" if 0 < len(known) <= 5 else ""
    return _missing("E0301", f"there is no {kind} {quote(name)}", span, hint)


def store_of_other_type(span: Span, name: str, actual: str, expected: str, fitting: Iterable[str]) -> Diagnostic:
    """The type of a store does not match its use.

    Datasets, captures and a registry's artifacts are kept in a store of type `object`, a registry's runs in a
    `database`.

    Wrong:

        stores: {lake: {type: object}, runs: {type: database}}
        registry: {database: lake, artifacts: lake}

    Right:

        registry: {database: runs, artifacts: lake}
    """
    listed = _one_of(fitting)
    return _error(
        "E0302",
        f"{quote(name)} is a store of type {actual}; a store of type {expected} belongs here",
        span,
        f"stores of type {expected}: {listed}" if listed else f"declare a store of type {expected} under stores",
    )


def unreadable_quantity(span: Span, value: str, field: str, expected: str) -> Diagnostic:
    """A quantity is finer than the unit in which it is counted, or is not a quantity.

    CPUs are counted in thousandths, durations in seconds (latencies in milliseconds), memory in bytes.

    Wrong:

        compute: {tiny: {cpu: 0.0125, memory: 512Mi}}

    Right:

        compute: {tiny: {cpu: 0.013, memory: 512Mi}}
    """
    return _error("E0303", f"{field} cannot be {quote(value)}; expected {expected}", span)


def placement_missing(span: Span, targets: Iterable[str]) -> Diagnostic:
    """With several targets, the spec names the default.

    The order of targets in the spec has no influence on placement.

    Wrong:

        deployment:
          mode: hybrid
          targets: {main: {provider: aws, region: eu-central-1}, stores: {provider: kubernetes}}

    Right:

        deployment:
          mode: hybrid
          targets: {main: {provider: aws, region: eu-central-1}, stores: {provider: kubernetes}}
          placement: {default: main, inference: stores}
    """
    listed = list(targets)
    return _missing(
        "E0304",
        f"deployment has {len(listed)} targets and no default placement",
        span,
        f"add placement: {{default: {listed[0]}}}, or another of {_one_of(listed)}",
    )


def capture_store_missing(span: Span, stores: Iterable[str]) -> Diagnostic:
    """Captured requests need an object store, named if there are several.

    Wrong:

        stores: {lake: {type: object}, archive: {type: object}}
        inference: {scorer: {capture: {sample: 20%}}}

    Right:

        inference: {scorer: {capture: {sample: 20%, store: archive}}}
    """
    listed = list(stores)
    if not listed:
        return _missing(
            "E0305",
            "capture has nowhere to write: the spec declares no store of type object",
            span,
            "declare a store of type object under stores",
        )
    return _missing(
        "E0305",
        f"capture names no store, and there are {len(listed)} stores of type object",
        span,
        f"add store: with one of {_one_of(listed)}",
    )


def traffic_missing(span: Span, endpoint: str, variants: Iterable[str]) -> Diagnostic:
    """An endpoint with several variants declares how they share the traffic.

    A variant that only receives mirrored requests needs no share.

    Wrong:

        inference:
          scorer: {variants: {champion: {model: fraud@champion}, challenger: {model: fraud@candidate}}, compute: cpu}

    Right:

        inference:
          scorer:
            variants: {champion: {model: fraud@champion}, challenger: {model: fraud@candidate}}
            traffic: {champion: 95, challenger: 5}
            compute: cpu
    """
    listed = list(variants)
    example = ", ".join([f"{listed[0]}: 100", *(f"{variant}: 0" for variant in listed[1:4])])
    return _error(
        "E0306",
        f"endpoint {quote(endpoint)} has {len(listed)} variants but no traffic split",
        span,
        f"add traffic, such as {{{example}}}",
    )


def nothing_to_run(span: Span, step: str, framework: str) -> Diagnostic:
    """A step names no function of yours, and no built-in code can run instead.

    Built-in trainers exist for scikit-learn, xgboost, lightgbm and pytorch; a model of framework `custom` and a
    pipeline of type `custom` run your own code. An image alone does not say which function to call.

    Wrong:

        pipelines: {features: {type: custom, source: {image: ghcr.io/acme/features:1.4}, compute: cpu}}

    Right:

        pipelines:
          features:
            type: custom
            source: {image: ghcr.io/acme/features:1.4, entrypoint: "acme.features:build"}
            compute: cpu
    """
    reason = f": the framework {framework} has no built-in trainer" if framework else ""
    return _error(
        "E0307",
        f"{quote(step)} has nothing to run{reason}",
        span,
        "add source: {entrypoint: package.module:function}",
    )


def trainer_beside_entrypoint(span: Span, trainer: str, entrypoint: str) -> Diagnostic:
    """A step trains with a built-in trainer or with your function, not with both.

    Wrong:

        pipelines:
          retrain:
            {type: training, model: fraud, compute: cpu, trainer: xgboost, source: {entrypoint: "fraud.train:main"}}

    Right:

        pipelines: {retrain: {type: training, model: fraud, trainer: xgboost, compute: cpu}}
    """
    return _error(
        "E0308",
        f"the trainer {trainer} would never run: {quote(entrypoint)} trains here",
        span,
        "remove trainer, or the entrypoint",
    )


def alias_missing(span: Span, model: str, decided: bool) -> Diagnostic:
    """A reference to a model names the version: by an alias that moves, or by a number that does not.

    Wrong:

        inference: {scorer: {variants: {champion: {model: fraud-xgb}}, compute: cpu}}

    Right:

        inference: {scorer: {variants: {champion: {model: fraud-xgb@champion}}, compute: cpu}}
    """
    numbered = "" if decided else f", or {model}@3"  # a number that bypasses a gate is also reported
    return _error("E0309", f"{quote(model)} does not name a version", span, f"write {model}@champion{numbered}")


def inline_class_meets_another(span: Span, name: str) -> Diagnostic:
    """A class written inline where it is used gets the name `SECTION-NAME`, and another class has that name.

    Pods find their hardware by the name of its class, so two classes cannot share one.

    Wrong:

        compute: {pipelines-retrain: {cpu: 4, memory: 16Gi}}
        pipelines: {retrain: {type: training, model: fraud, compute: {cpu: 8, memory: 32Gi}}}

    Right:

        compute: {train: {cpu: 8, memory: 32Gi}}
        pipelines: {retrain: {type: training, model: fraud, compute: train}}
    """
    return _error(
        "E0310",
        f"this compute class would be named {quote(name)}, and another class has that name",
        span,
        "define it under compute with its own name, and use that here",
    )


def moved_between_sections(span: Span, new: str, old: str) -> Diagnostic:
    """A rename stays in its section: an endpoint cannot become a pipeline.

    Wrong:

        moved: {inference.fraud-scorer: pipelines.scorer}

    Right:

        moved: {inference.fraud-scorer: inference.scorer}
    """
    section = new.partition(".")[0]
    return _error(
        "E0311",
        f"{quote(old)} cannot have become {quote(new)}: a workload stays in its section",
        span,
        f"name the old address under {section}, or remove the line",
    )


def moved_from_existing(span: Span, old: str) -> Diagnostic:
    """The old address of a rename must be gone: two workloads cannot share the old one's objects.

    Wrong:

        moved: {inference.fraud-scorer: inference.scorer}
        inference: {scorer: …, fraud-scorer: …}

    Right:

        moved: {inference.fraud-scorer: inference.scorer}
        inference: {fraud-scorer: …}
    """
    return _error(
        "E0312",
        f"{quote(old)} still exists, so nothing can take over its objects",
        span,
        "remove the old workload, or this line",
    )


def override_target_missing(span: Span, name: str, targets: Iterable[str]) -> Diagnostic:
    """With several targets, an override names the target of the object that it patches.

    Wrong:

        overrides: {shm: {object: RayService/scorer, patch: […], reason: The node image is old.}}

    Right:

        overrides: {shm: {target: stores, object: RayService/scorer, patch: […], reason: The node image is old.}}
    """
    return _error(
        "E0313",
        f"override {quote(name)} does not name the target of its object",
        span,
        f"add target: with one of {_one_of(targets)}",
    )


def alias_of_training(span: Span, value: str) -> Diagnostic:
    """A training pipeline creates new versions of a model, so it names the model without an alias.

    `promoteTo` sets the alias that moves to the new version when it passes the gate.

    Wrong:

        pipelines: {retrain: {type: training, model: fraud-xgb@champion, compute: cpu}}

    Right:

        pipelines: {retrain: {type: training, model: fraud-xgb, promoteTo: champion, compute: cpu}}
    """
    model, _, alias = value.partition("@")
    return _error(
        "E0314",
        f"training makes a new version of {quote(model)}, it does not use {quote(value)}",
        span,
        f"write model: {model}, and promoteTo: {alias} for the alias that moves",
    )


def no_compute(span: Span, name: str) -> Diagnostic:
    """Every step and every variant runs on hardware that the spec names.

    `compute` is set on the step or variant, or for all of them on the pipeline or endpoint.

    Wrong:

        pipelines: {retrain: {type: training, model: fraud-xgb, inputs: [transactions]}}

    Right:

        pipelines: {retrain: {type: training, model: fraud-xgb, inputs: [transactions], compute: "L4:1"}}
    """
    return _missing(
        "E0315",
        f"{quote(name)} does not say which hardware it needs",
        span,
        "add compute: with a class of the section compute, or {cpu: 4, memory: 16Gi}",
    )


def no_threshold(span: Span, name: str, bounds: str) -> Diagnostic:
    """A check has a bound in the direction in which its metric is good: `min`, `max`, or for a gate `versus: champion`.

    Wrong:

        validation: {auc: {metric: auc_pr}}

    Right:

        validation: {auc: {metric: auc_pr, min: 0.82}}
    """
    return _error("E0316", f"check {quote(name)} has no bound", span, f"add {bounds}")
