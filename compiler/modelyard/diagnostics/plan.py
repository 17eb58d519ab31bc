"""Diagnostics about planning: names, targets, machines, renames and leftovers."""

from __future__ import annotations

from collections.abc import Sequence

from modelyard.diagnostics.base import Diagnostic, Severity, joined, quote
from modelyard.source import Span


def name_collision(span: Span, name: str, subject: str, other: str, place: Span) -> Diagnostic:
    """Two workloads or resources on a target would have the same name, so one would replace the other.

    Objects are named after their names in the spec: an endpoint `a` with several variants has servers `a-<variant>`, a
    monitor `x` is `monitor-x`, a pool `p` is `pool-p`, a pipeline's launcher is `<pipeline>-launcher`, and a pipeline
    next to an endpoint of the same name is `<pipeline>-runs`. All these names must differ.

    Wrong:

        pipelines: {monitor-drift: {…}}
        monitors: {drift: {…}}

    Right:

        pipelines: {drift-report: {…}}
        monitors: {drift: {…}}
    """
    return Diagnostic(
        "E0501",
        Severity.ERROR,
        f"{subject} and {other} ({place.file}:{place.line}:{place.column}) would both be named {quote(name)}",
        span,
        "rename one of them",
    )


def reserved_name(span: Span, name: str, reason: str) -> Diagnostic:
    """Some names are reserved for the platform.

    Every Kubernetes namespace has a ServiceAccount `default`, and the namespaces `default` and `kube-*` belong to the
    cluster. If modelyard creates machines, the cluster's own node pool is named `system`, so no compute class can have
    this name. A managed database and the role that owns it are named after their store, and PostgreSQL and RDS reserve
    names such as `postgres`, `template1`, `rdsadmin` and those that begin with `pg_`.

    Wrong:

        deployment: {mode: on-prem, provider: kubernetes, namespace: kube-system}

    Right:

        deployment: {mode: on-prem, provider: kubernetes, namespace: fraud-detection}
    """
    return Diagnostic(
        "E0502", Severity.ERROR, f"name {quote(name)} is already taken: {reason}", span, "choose another name"
    )


def no_registry(span: Span, model: str) -> Diagnostic:
    """A model that is trained, served or used for scoring needs a registry, but the spec declares none.

    The registry stores versions, their lineage and the aliases that promotion moves. Adopt a registry by its URL, or
    let modelyard run one on a database and an object store.

    Wrong:

        models: {ranker: {…}}
        inference: {rank: {variants: {live: {model: ranker@champion}}, …}}

    Right:

        registry: {adopt: "https://mlflow.acme.example", credentials: "secret://vault/mlflow"}
    """
    return Diagnostic(
        "E0503",
        Severity.ERROR,
        f"model {quote(model)} needs a registry, but the spec declares none",
        span,
        "add `registry` with `adopt: URL`, or with a `database` and an `artifacts` store",
    )


def no_machine(span: Span, compute: str, target: str, reason: str, hint: str = "") -> Diagnostic:
    """No machine on the target fits a Pod of the compute class.

    The message names the closest machine and what it lacks. A Pod cannot span machines, so request less in the class,
    add an alternative accelerator, or declare a larger machine. In a cloud, the hint names the nearest regions that
    have such a machine: in the same country first, and within `governance.residency`.

    Wrong:

        deployment: {mode: on-prem, provider: kubernetes, capacity: [{count: 3, cpu: 16, memory: 64Gi}]}
        compute: {train: {cpu: 8, memory: 96Gi}}

    Right:

        compute: {train: {cpu: 8, memory: 48Gi}}
    """
    return Diagnostic(
        "E0504",
        Severity.ERROR,
        f"no machine on target {quote(target)} fits compute class {quote(compute)}: {reason}",
        span,
        hint,
    )


def regions_hint(regions: tuple[str, ...]) -> str:
    """Return a hint naming other regions that have such a machine, or "" if there are none."""
    return f"{joined(regions)} {'has one' if len(regions) == 1 else 'have one'}" if regions else ""


def same_namespace(span: Span, target: str, other: str, namespace: str) -> Diagnostic:
    """Two targets use the same namespace on the same cluster, so their stacks would overwrite each other.

    A target is identified by its kubeconfig context and its namespace, and both are the same here.

    Wrong:

        targets: {a: {provider: kubernetes, context: frankfurt}, b: {provider: kubernetes, context: frankfurt}}

    Right:

        targets: {a: {provider: kubernetes, context: frankfurt}, b: {provider: kubernetes, context: berlin}}
    """
    return Diagnostic(
        "E0505",
        Severity.ERROR,
        f"targets {quote(other)} and {quote(target)} use the same namespace {quote(namespace)} on the same cluster",
        span,
        "give each its own `context` or `namespace`",
    )


def rules_only(span: Span, monitor: str, field: str) -> Diagnostic:
    """A monitor of type `performance` consists of alert rules and never runs, so it has no schedule or machine.

    Its rules are evaluated continuously over its `window` on server metrics, and can only send notifications. Monitors
    that check data, such as `prediction-quality`, can also start pipelines or roll back models.

    Wrong:

        monitors: {speed: {type: performance, watch: inference.scorer, checks: {p99_ms: {max: 50}}, onBreach: {run:
        pipelines.retrain}}}

    Right:

        monitors: {speed: {type: performance, watch: inference.scorer, checks: {p99_ms: {max: 50}}, onBreach: {notify:
        [oncall]}}}
    """
    return Diagnostic(
        "E0506",
        Severity.ERROR,
        f"monitor {quote(monitor)} of type performance consists of alert rules, so it does not support `{field}`",
        span,
        f"remove `{field}`",
    )


def moved_twice(span: Span, new: str, old: str, first: str) -> Diagnostic:
    """Two workloads cannot both replace the same old one, because their objects would have the same names.

    Wrong:

        moved: {inference.scorer-eu: inference.scorer, inference.scorer-us: inference.scorer}

    Right:

        moved: {inference.scorer-eu: inference.scorer}
    """
    return Diagnostic(
        "E0507",
        Severity.ERROR,
        f"{quote(new)} cannot take over the names of {quote(old)}, because {quote(first)} already does",
        span,
        f"remove this line to give {quote(new)} new names",
    )


def would_be_destroyed(span: Span, addresses: Sequence[str], target: str, fate: str, hint: str) -> Diagnostic:
    """A resource that an earlier compile emitted, according to `modelyard.lock`, is no longer in the spec.

    If it was renamed, `moved` keeps its object names, so nothing is recreated and traffic continues. The lock file
    lists it under `removed`, and every compile repeats the warning, even on a reviewer's machine, until `modelyard
    compile --forget-removed` confirms that the removal was applied.

    Wrong: the endpoint was `scorer` in the last compile.

        inference: {fraud-scorer: {…}}

    Right:

        inference: {fraud-scorer: {…}}
        moved: {inference.fraud-scorer: inference.scorer}
    """
    subject = " and ".join(quote(address) for address in addresses)
    verb = "is" if len(addresses) == 1 else "are"
    return Diagnostic(
        "W0502",
        Severity.WARNING,
        f"{subject} on target {quote(target)} {verb} no longer in the spec: {fate}",
        span,
        hint,
    )


def stack_left_running(span: Span, target: str, environment: str) -> Diagnostic:
    """A target of an earlier compile is no longer in the spec, and its stacks keep running.

    Later compiles do not update those stacks, so their resources keep running and costing money until someone destroys
    them. The lock file lists the target under `removed`, and every compile repeats the warning until `modelyard compile
    --forget-removed` confirms that the stacks are gone.

    Wrong: the target `edge` deleted from the spec, and nothing else done.

    Right: `pulumi destroy` in each project of `build/default/edge`, then `modelyard compile --forget-removed`.
    """
    return Diagnostic(
        "W0508",
        Severity.WARNING,
        f"target {quote(target)} is no longer in the spec, but its stacks keep running",
        span,
        f"run `pulumi destroy` in the projects of build/{environment}/{target}, then compile with --forget-removed",
    )


def unused_target(span: Span, target: str) -> Diagnostic:
    """A target is declared, but nothing is placed on it, so nothing is emitted for it.

    Wrong:

        targets: {main: {provider: kubernetes, context: a}, spare: {provider: kubernetes, context: b}}
        placement: {default: main}

    Right:

        targets: {main: {provider: kubernetes, context: a}}
    """
    return Diagnostic(
        "W0501",
        Severity.WARNING,
        f"target {quote(target)} is never used",
        span,
        "remove the target, or place a workload on it",
    )
