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
    joined = ", ".join(listed[:5])
    return f"{joined}, …" if len(listed) > 5 else joined


def unknown_reference(
    span: Span, kind: str, name: str, known: Iterable[str], deleted: Span | None = None, section: str = ""
) -> Diagnostic:
    """A name is used but not declared anywhere.

    A reference is the bare name of an entry in the section that the field refers to. All references are resolved before
    deployment, so a typo is reported here and not by a Pod that fails later.

    Wrong:

        data: {transactions: {store: lake, path: transactions/, format: parquet}}
        pipelines: {retrain: {type: training, model: fraud, inputs: [transactons], compute: cpu}}

    Right:

        pipelines: {retrain: {type: training, model: fraud, inputs: [transactions], compute: cpu}}
    """
    if deleted is not None:
        place = f"line {deleted.line} of {deleted.file}"
        return _missing("E0301", f"unknown {kind} {quote(name)}", span, f"the environment deletes it on {place}")
    known = list(known)
    near = nearest_name(name, known)
    if near is not None:
        unknown = _missing("E0301", f"unknown {kind} {quote(name)}", span, f"did you mean '{near}'?")
        return replace(unknown, meant=(name, near)) if is_typo(name, near) else unknown
    hint = f"available: {_one_of(known)}" if 0 < len(known) <= 5 else ""
    if section:
        hint = f"declare {quote(name)} under `{section}`"
    return _missing("E0301", f"unknown {kind} {quote(name)}", span, hint)


def store_of_other_type(span: Span, name: str, actual: str, expected: str, fitting: Iterable[str]) -> Diagnostic:
    """A store's type does not match its use.

    Datasets, captures and registry artifacts need a store of type `object`. Registry runs need a `database`.

    Wrong:

        stores: {lake: {type: object}, runs: {type: database}}
        registry: {database: lake, artifacts: lake}

    Right:

        registry: {database: runs, artifacts: lake}
    """
    listed = _one_of(fitting)
    return _error(
        "E0302",
        f"store {quote(name)} has type {actual}, but a store of type {expected} is needed here",
        span,
        f"choose a store of type {expected}: {listed}"
        if listed
        else f"declare a store of type {expected} under `stores`",
    )


def unreadable_quantity(span: Span, value: str, field: str, expected: str) -> Diagnostic:
    """A quantity is more precise than its unit allows, or is not a quantity.

    CPUs are measured in thousandths, durations in seconds (latencies in milliseconds), and memory in bytes.

    Wrong:

        compute: {tiny: {cpu: 0.0125, memory: 512Mi}}

    Right:

        compute: {tiny: {cpu: 0.013, memory: 512Mi}}
    """
    return _error("E0303", f"{field} cannot be {quote(value)}: expected {expected}", span)


def placement_missing(span: Span, targets: Iterable[str]) -> Diagnostic:
    """A spec with several targets must name a default.

    The order of targets does not affect placement.

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
        f"deployment has {len(listed)} targets but no default placement",
        span,
        f"add `placement: {{default: {listed[0]}}}`, or choose another target: {_one_of(listed[1:])}",
    )


def capture_store_missing(span: Span, stores: Iterable[str]) -> Diagnostic:
    """Captured requests need an object store. If the spec declares several, `capture` must name one.

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
            "captures need a store of type object, but the spec declares none",
            span,
            "declare a store of type object under `stores`",
        )
    return _missing(
        "E0305",
        f"`capture` must name a store, because the spec declares {len(listed)} stores of type object",
        span,
        f"set `store` to one of {_one_of(listed)}",
    )


def traffic_missing(span: Span, endpoint: str, variants: Iterable[str]) -> Diagnostic:
    """An endpoint with several variants must declare how they share traffic.

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
        f"add `traffic`, such as {{{example}}}",
    )


def nothing_to_run(span: Span, step: str, framework: str) -> Diagnostic:
    """A step has no entrypoint, and no built-in code can run instead.

    Built-in trainers exist for scikit-learn, xgboost, lightgbm and pytorch; models of framework `custom` and pipelines
    of type `custom` run your own code. An image alone does not specify which function to call.

    Wrong:

        pipelines: {features: {type: custom, source: {image: ghcr.io/acme/features:1.4}, compute: cpu}}

    Right:

        pipelines:
          features:
            type: custom
            source: {image: ghcr.io/acme/features:1.4, entrypoint: "acme.features:build"}
            compute: cpu
    """
    reason = f": framework {quote(framework)} has no built-in trainer" if framework else ""
    return _error(
        "E0307",
        f"{quote(step)} has nothing to run{reason}",
        span,
        "add `source: {entrypoint: package.module:function}`",
    )


def trainer_beside_entrypoint(span: Span, trainer: str, entrypoint: str) -> Diagnostic:
    """A step can train with a built-in trainer or with your own function, but not with both.

    Wrong:

        pipelines:
          retrain:
            {type: training, model: fraud, compute: cpu, trainer: xgboost, source: {entrypoint: "fraud.train:main"}}

    Right:

        pipelines: {retrain: {type: training, model: fraud, trainer: xgboost, compute: cpu}}
    """
    return _error(
        "E0308",
        f"the {trainer} trainer would never run, because {quote(entrypoint)} trains the model",
        span,
        "remove `trainer` or the entrypoint",
    )


def alias_missing(span: Span, model: str, decided: bool) -> Diagnostic:
    """A reference to a model must name a version, either by an alias that moves or by a fixed number.

    Wrong:

        inference: {scorer: {variants: {champion: {model: fraud-xgb}}, compute: cpu}}

    Right:

        inference: {scorer: {variants: {champion: {model: fraud-xgb@champion}}, compute: cpu}}
    """
    numbered = "" if decided else f", or {model}@3"  # a number that bypasses a gate is also reported
    return _error("E0309", f"{quote(model)} does not name a version", span, f"write {model}@champion{numbered}")


def inline_class_meets_another(span: Span, name: str) -> Diagnostic:
    """An inline compute class is named `SECTION-NAME`, but another class already has that name.

    Pods are assigned to machines by the name of their class, so it must be unique.

    Wrong:

        compute: {pipelines-retrain: {cpu: 4, memory: 16Gi}}
        pipelines: {retrain: {type: training, model: fraud, compute: {cpu: 8, memory: 32Gi}}}

    Right:

        compute: {train: {cpu: 8, memory: 32Gi}}
        pipelines: {retrain: {type: training, model: fraud, compute: train}}
    """
    return _error(
        "E0310",
        f"this compute class would be named {quote(name)}, but another class already has that name",
        span,
        "define it under `compute` with its own name, and use that name here",
    )


def moved_between_sections(span: Span, new: str, old: str) -> Diagnostic:
    """A rename cannot move a workload to another section: an endpoint cannot become a pipeline.

    Wrong:

        moved: {inference.fraud-scorer: pipelines.scorer}

    Right:

        moved: {inference.fraud-scorer: inference.scorer}
    """
    section = new.partition(".")[0]
    return _error(
        "E0311",
        f"{quote(old)} cannot be renamed to {quote(new)}, which is in another section",
        span,
        f"use an old address in `{section}`, or remove the line",
    )


def moved_from_existing(span: Span, old: str) -> Diagnostic:
    """A rename's old address must no longer exist, because two workloads cannot share its objects.

    Wrong:

        moved: {inference.fraud-scorer: inference.scorer}
        inference: {scorer: …, fraud-scorer: …}

    Right:

        moved: {inference.fraud-scorer: inference.scorer}
        inference: {fraud-scorer: …}
    """
    return _error(
        "E0312",
        f"{quote(old)} still exists, so no other workload can take over its objects",
        span,
        "remove the old workload, or this line",
    )


def override_target_missing(span: Span, name: str, targets: Iterable[str]) -> Diagnostic:
    """In a spec with several targets, an override must name the target of the object that it patches.

    Wrong:

        overrides: {shm: {object: RayService/scorer, patch: […], reason: The node image is old.}}

    Right:

        overrides: {shm: {target: stores, object: RayService/scorer, patch: […], reason: The node image is old.}}
    """
    return _error(
        "E0313",
        f"override {quote(name)} must name the target that its object is on",
        span,
        f"set `target` to one of {_one_of(targets)}",
    )


def alias_of_training(span: Span, value: str) -> Diagnostic:
    """A training pipeline creates new versions of a model, so it must name the model without an alias.

    `promoteTo` sets the alias that moves to the new version when it passes the gate.

    Wrong:

        pipelines: {retrain: {type: training, model: fraud-xgb@champion, compute: cpu}}

    Right:

        pipelines: {retrain: {type: training, model: fraud-xgb, promoteTo: champion, compute: cpu}}
    """
    model, _, alias = value.partition("@")
    return _error(
        "E0314",
        f"training creates a new version of model {quote(model)}, so `model` cannot be {quote(value)}",
        span,
        f"use `model: {model}`, and `promoteTo: {alias}` for the alias to move",
    )


def no_compute(span: Span, name: str) -> Diagnostic:
    """Every step and every variant needs a compute class.

    Set `compute` on the step or variant, or on the pipeline or endpoint for all of them.

    Wrong:

        pipelines: {retrain: {type: training, model: fraud-xgb, inputs: [transactions]}}

    Right:

        pipelines: {retrain: {type: training, model: fraud-xgb, inputs: [transactions], compute: "L4:1"}}
    """
    return _missing(
        "E0315",
        f"{quote(name)} does not declare which hardware it needs",
        span,
        "set `compute` to a declared compute class, or to resources such as {cpu: 4, memory: 16Gi}",
    )


def no_threshold(span: Span, name: str, bounds: str) -> Diagnostic:
    """A check needs a bound: `min`, `max`, or, in a gate, `versus: champion`.

    Wrong:

        validation: {auc: {metric: auc_pr}}

    Right:

        validation: {auc: {metric: auc_pr, min: 0.82}}
    """
    return _error("E0316", f"check {quote(name)} has no bound", span, f"add {bounds}")
