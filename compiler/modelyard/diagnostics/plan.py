"""What is told about a system that cannot be planned: E05 and W05."""

from __future__ import annotations

from collections.abc import Sequence

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def name_collision(span: Span, name: str, what: str, other: str, where: Span) -> Diagnostic:
    """Two things on one target would carry the same name, and one would replace the other.

    Objects are named after what the spec calls them: an endpoint `a` with several variants has servers `a-<variant>`,
    a monitor `x` is `monitor-x`, a pool `p` is `pool-p`, a pipeline's launcher is `<pipeline>-launcher`, and a pipeline
    beside an endpoint of its name is `<pipeline>-runs`. All share one namespace of names.

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
        f"{what} and {other} ({where.file}:{where.line}:{where.column}) would both be called {quote(name)}",
        span,
        "rename one of them",
    )


def reserved_name(span: Span, name: str, why: str) -> Diagnostic:
    """Some names belong to the platform itself.

    Every Kubernetes namespace has a ServiceAccount `default`, and the namespaces `default` and `kube-*` hold what is
    not this system's. Where machines are made, those of the cluster itself are the pool `system`, and no compute class
    is called so. A managed database is named after its store, and so is the role that owns it: PostgreSQL and RDS
    keep names such as `postgres`, `template1`, `rdsadmin` and those that begin with `pg_`.

    Wrong:

        deployment: {mode: on-prem, provider: kubernetes, namespace: kube-system}

    Right:

        deployment: {mode: on-prem, provider: kubernetes, namespace: fraud-detection}
    """
    return Diagnostic("E0502", Severity.ERROR, f"the name {quote(name)} is taken: {why}", span, "choose another name")


def no_registry(span: Span, model: str) -> Diagnostic:
    """A model that is trained, served or scored lives in a registry, and the spec names none.

    The registry keeps versions, their lineage and the aliases that promotion moves. Adopt one by its URL, or let one
    run here on a database and an object store.

    Wrong:

        models: {ranker: {…}}
        inference: {rank: {variants: {live: {model: ranker@champion}}, …}}

    Right:

        registry: {adopt: "https://mlflow.acme.example", credentials: "secret://vault/mlflow"}
    """
    return Diagnostic(
        "E0503",
        Severity.ERROR,
        f"model {quote(model)} is used here, but there is no registry to keep it in",
        span,
        "add `registry` with `adopt: URL`, or with a `database` and an `artifacts` store",
    )


def no_machine(span: Span, compute: str, target: str, reason: str) -> Diagnostic:
    """No machine of the target holds one Pod of a compute class.

    The message names the machine that comes nearest and what it lacks. A Pod cannot be spread over machines: ask for
    less in the class, add an alternative accelerator, or declare a larger machine.

    Wrong:

        deployment: {mode: on-prem, provider: kubernetes, capacity: [{count: 3, cpu: 16, memory: 64Gi}]}
        compute: {train: {cpu: 8, memory: 96Gi}}

    Right:

        compute: {train: {cpu: 8, memory: 48Gi}}
    """
    return Diagnostic(
        "E0504",
        Severity.ERROR,
        f"no machine of target {quote(target)} can be chosen for compute class {quote(compute)}: {reason}",
        span,
    )


def same_namespace(span: Span, target: str, other: str, namespace: str) -> Diagnostic:
    """Two targets are the same namespace of the same cluster, so that their stacks would fight over it.

    A target is told from another by its kubeconfig context and its namespace; both are the same here.

    Wrong:

        targets: {a: {provider: kubernetes, context: frankfurt}, b: {provider: kubernetes, context: frankfurt}}

    Right:

        targets: {a: {provider: kubernetes, context: frankfurt}, b: {provider: kubernetes, context: berlin}}
    """
    return Diagnostic(
        "E0505",
        Severity.ERROR,
        f"targets {quote(other)} and {quote(target)} are both namespace {quote(namespace)} of the same cluster",
        span,
        "give each its own `context` or `namespace`",
    )


def rules_only(span: Span, monitor: str, field: str) -> Diagnostic:
    """A monitor of type `performance` is a set of alert rules: nothing runs, so it has no schedule and no machine,
    and starts nothing.

    Its rules are evaluated all the time over its `window`, on the metrics of the servers themselves. It can notify; a
    pipeline is started and a model rolled back by a monitor that looks at data, such as `prediction-quality`.

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
        f"monitor {quote(monitor)} of type performance cannot honour {quote(field)}: it is alert rules, and no run",
        span,
        f"remove {quote(field)}",
    )


def moved_twice(span: Span, new: str, old: str, first: str) -> Diagnostic:
    """Two things cannot both be what one was before: they would have the same names.

    Wrong:

        moved: {inference.scorer-eu: inference.scorer, inference.scorer-us: inference.scorer}

    Right:

        moved: {inference.scorer-eu: inference.scorer}
    """
    return Diagnostic(
        "E0507",
        Severity.ERROR,
        f"{quote(new)} cannot keep the names of {quote(old)}: {quote(first)} already does",
        span,
        "let it have names of its own",
    )


def would_be_destroyed(span: Span, addresses: Sequence[str], target: str, fate: str, hint: str) -> Diagnostic:
    """An earlier compile of this environment emitted something, as `modelyard.lock` records, and the spec dropped it.

    Where it was renamed, `moved` keeps the names of its objects, so that nothing is created anew and traffic goes on.
    The lock lists it under `removed`, and every compile repeats the warning, also on the machine of a reviewer, until
    `modelyard compile --forget-removed` confirms that the removal has been applied.

    Wrong: the endpoint was `scorer` in the last compile.

        inference: {fraud-scorer: {…}}

    Right:

        inference: {fraud-scorer: {…}}
        moved: {inference.fraud-scorer: inference.scorer}
    """
    what = " and ".join(quote(address) for address in addresses)
    verb = "is" if len(addresses) == 1 else "are"
    return Diagnostic("W0502", Severity.WARNING, f"{what} on target {quote(target)} {verb} gone: {fate}", span, hint)


def stack_left_running(span: Span, target: str, environment: str) -> Diagnostic:
    """A target of an earlier compile is not in the spec any more, and its stacks keep running.

    Nothing that is compiled now updates those stacks: what they created stays, works and costs money until somebody
    destroys it. The lock lists the target under `removed`, and every compile repeats the warning until
    `modelyard compile --forget-removed` confirms that the stacks are gone.

    Wrong: the target `edge` deleted from the spec, and nothing else done.

    Right: `pulumi destroy` in each project of `build/default/edge`, then `modelyard compile --forget-removed`.
    """
    return Diagnostic(
        "W0508",
        Severity.WARNING,
        f"target {quote(target)} is not in the spec any more, and its stacks keep running",
        span,
        f"run `pulumi destroy` in the projects of build/{environment}/{target}, then compile with --forget-removed",
    )


def unused_target(span: Span, target: str) -> Diagnostic:
    """A target is declared, but nothing is placed on it, so that nothing would come out for it.

    Wrong:

        targets: {main: {provider: kubernetes, context: a}, spare: {provider: kubernetes, context: b}}
        placement: {default: main}

    Right:

        targets: {main: {provider: kubernetes, context: a}}
    """
    return Diagnostic(
        "W0501",
        Severity.WARNING,
        f"nothing is placed on target {quote(target)}",
        span,
        "remove it, or place a workload there",
    )


def run_too_large(span: Span, pipeline: str, count: int, fitting: int, amount: str) -> Diagnostic:
    """A pipeline could never reach its largest size: its workers do not fit on the machines even when nothing else
    runs.

    The autoscaler would ask for machines that there are none of, and a search or a batch that counts on them would
    crawl.

    Wrong:

        capacity: [{count: 2, cpu: 16, memory: 64Gi}]
        pipelines: {score: {compute: {cpu: 8, memory: 16Gi}, workers: {min: 1, max: 40}, …}}

    Right:

        pipelines: {score: {compute: {cpu: 8, memory: 16Gi}, workers: {min: 1, max: 3}, …}}
    """
    room = f"room for {fitting}" if fitting else "no room beside the rest of its cluster"
    return Diagnostic(
        "E0510",
        Severity.ERROR,
        f"pipeline {quote(pipeline)} may ask for {_pods(count)} of {amount}, and there is {room}",
        span,
        "lower its largest number of workers, or declare more machines under `capacity`",
    )


def _pods(count: int) -> str:
    return "1 Pod" if count == 1 else f"{count} Pods"


def too_little(span: Span, target: str, asked: str, declared: str, here: str) -> Diagnostic:
    """Everything that may run at once asks for more than the declared machines have.

    Counted are all endpoints at their largest, the heads of their clusters, the registry, databases, monitors, and
    the pipeline that asks most. What has a lower `priority` is counted by itself, beside the least of what it yields
    to. The line that is pointed at asks for most of what is short.

    Wrong:

        capacity: [{count: 2, cpu: 16, memory: 64Gi}]
        inference: {scorer: {compute: {cpu: 4, memory: 8Gi}, replicas: {min: 2, max: 30}, …}}

    Right:

        inference: {scorer: {compute: {cpu: 4, memory: 8Gi}, replicas: {min: 2, max: 5}, …}}
    """
    return Diagnostic(
        "E0511",
        Severity.ERROR,
        f"target {quote(target)} has {declared} where at most {asked} would be needed, {here} of it here",
        span,
        "lower the largest numbers, or declare more machines under `capacity`",
    )


def nothing_yields(span: Span, pipeline: str, target: str, homeless: tuple[str, int, str], lower: str) -> Diagnostic:
    """A pipeline and the endpoints beside it do not fit on the declared machines at once, and the spec does not say
    which of them yields.

    Without a priority, whoever comes first keeps the machines: a training holds up the replicas that requests need, or
    waits for days. A pipeline with `priority: low` waits until there is room, and its workers are preempted when an
    endpoint needs their machines. A preempted run is tried again as often as `retries` says. Workloads of one priority
    do not yield to each other: where an endpoint is `low` as well, the pipeline that yields to it is `lowest`.

    `homeless` is what finds no machine: what it is, how many Pods, and their size. `lower` is the next lower priority,
    empty where there is none.

    Wrong:

        capacity: [{count: 2, cpu: 16, memory: 64Gi}]
        inference: {scorer: {compute: {cpu: 4, memory: 8Gi}, replicas: {min: 1, max: 6}, …}}
        pipelines: {train: {compute: {cpu: 8, memory: 16Gi}, workers: 2, …}}

    Right:

        pipelines: {train: {compute: {cpu: 8, memory: 16Gi}, workers: 2, priority: low, retries: 3, …}}
    """
    what, count, amount = homeless
    more = "lower the largest numbers, or declare more machines under `capacity`"
    return Diagnostic(
        "E0990",
        Severity.ERROR,
        f"pipeline {quote(pipeline)} does not fit on target {quote(target)} next to the workloads that always run, and"
        f" none of them can be preempted: no machine has room for {_pods(count)} of {amount}, {what}",
        span,
        f"give the pipeline `priority: {lower}` if it may wait and be interrupted, {more}" if lower else more,
    )


def cannot_be_packed(span: Span, target: str, what: str, count: int, amount: str) -> Diagnostic:
    """The declared machines have enough of everything in total, but what is left on each is too little for another Pod.

    Wrong:

        capacity: [{count: 4, cpu: 8, memory: 32Gi}]
        inference: {scorer: {compute: {cpu: 5, memory: 16Gi}, replicas: 5, …}}

    Right:

        inference: {scorer: {compute: {cpu: 3, memory: 10Gi}, replicas: 5, …}}
    """
    return Diagnostic(
        "E0512",
        Severity.ERROR,
        f"target {quote(target)} has no place for {_pods(count)} of {amount}, {what}: what is free is in small pieces",
        span,
        "ask for Pods that divide a machine evenly, or declare more machines under `capacity`",
    )


def no_room_for_upgrade(span: Span, server: str, target: str, count: int, amount: str) -> Diagnostic:
    """A new version of a server is made whole beside the old one, and the declared machines have no room for both.

    Counted are all endpoints at their least, what serves them, and the least of this one a second time with its head.
    The new one would wait for room for ever, and the old one would go on answering.

    Wrong:

        capacity: [{count: 2, cpu: 16, memory: 64Gi}]
        inference: {scorer: {compute: {cpu: 4, memory: 8Gi}, replicas: 5, …}}

    Right:

        inference: {scorer: {compute: {cpu: 4, memory: 8Gi}, replicas: 5, rollout: {strategy: in-place}, …}}
    """
    return Diagnostic(
        "W0515",
        Severity.WARNING,
        f"no room for an upgrade of {quote(server)} on target {quote(target)}: "
        f"beside the old one {_pods(count)} of {amount} would find no place",
        span,
        "write rollout: {strategy: incremental} or in-place, or declare more machines under `capacity`",
    )


def budget_exceeded(span: Span, budget: str, monthly: str) -> Diagnostic:
    """The machines that have to be paid for cost more than the budget allows.

    On a cluster of your own those are all that are needed when everything runs at its largest, since they have to be
    there; in a cloud those that never go away: endpoints at their smallest, and what the cluster itself takes.
    `onExceed: block` makes it an error.

    Wrong:

        governance: {budget: {monthly: 500 USD, onExceed: block}, …}
        deployment: {capacity: [{count: 3, cpu: 16, memory: 64Gi, price: 0.40 USD}], …}

    Right:

        governance: {budget: {monthly: 900 USD, onExceed: block}, …}
    """
    message = f"the budget is {budget} a month, and the system needs machines for {monthly}"
    return Diagnostic("E0513", Severity.ERROR, message, span, "lower the numbers of replicas and workers")


def budget_would_be_exceeded(span: Span, budget: str, monthly: str) -> Diagnostic:
    """The machines that have to be paid for cost more than the budget allows, as for E0513.

    `onExceed: warn`, which is the default, makes it a warning.

    Wrong:

        governance: {budget: {monthly: 500 USD}, …}

    Right:

        governance: {budget: {monthly: 900 USD}, …}
    """
    message = f"the budget is {budget} a month, and the system needs machines for {monthly}"
    return Diagnostic("W0513", Severity.WARNING, message, span, "lower the numbers of replicas and workers")


def budget_may_be_exceeded(span: Span, budget: str, sure: str, most: str) -> Diagnostic:
    """A cloud's machines cost more than the budget allows if the system is at its largest all month.

    Counted are endpoints with all their replicas, and runs that take all of their time with all of their workers. What
    is paid for in any case lies within the budget, so this is a warning, whatever `onExceed` says; the budget that is
    made in the account tells when it comes so far.

    Wrong:

        governance: {budget: {monthly: 2000 USD}, …}
        inference: {scorer: {replicas: {min: 2, max: 60}, …}}

    Right:

        inference: {scorer: {replicas: {min: 2, max: 6}, …}}
    """
    return Diagnostic(
        "W0516",
        Severity.WARNING,
        f"the budget is {budget} a month; the system needs machines for {sure}, and for {most} if all of it is at its "
        "largest all the time",
        span,
        "lower the largest numbers of replicas and workers, or the timeouts of runs",
    )


def budget_without_price(span: Span, target: str, why: str) -> Diagnostic:
    """A budget can be kept only where it is known what the machines cost.

    On a cluster of your own nobody else knows it: say what one machine-hour costs, in the currency of the budget.

    Wrong:

        governance: {budget: {monthly: 900 USD}, …}
        deployment: {capacity: [{count: 3, cpu: 16, memory: 64Gi}], …}

    Right:

        deployment: {capacity: [{count: 3, cpu: 16, memory: 64Gi, price: 0.40 USD}], …}
    """
    return Diagnostic(
        "E0514",
        Severity.ERROR,
        f"the budget cannot be kept on target {quote(target)}: {why}",
        span,
        "declare `capacity[].price`, or remove `governance.budget`",
    )
