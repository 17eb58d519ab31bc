"""What is told about a plan that its target cannot honour: E06."""

from __future__ import annotations

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def cannot_make(span: Span, kind: str, placement: str, reason: str) -> Diagnostic:
    """Every target says for each kind of resource whether it can make it; this one cannot.

    The message carries the target's own reason and the nearest thing that it can do. docs/targets.md has the whole
    table. Place the workload on another target, or choose what the reason names.

    Wrong:

        deployment: {mode: cloud, provider: azure, region: westeurope}

    Right:

        deployment: {mode: on-prem, provider: kubernetes, context: frankfurt}
    """
    return Diagnostic(
        "E0601",
        Severity.ERROR,
        f"target {quote(placement)} cannot make a {kind}: {reason}",
        span,
    )


def provider_not_yet(span: Span, placement: str, provider: str, reason: str) -> Diagnostic:
    """A provider that a spec may name already, while modelyard does not emit for it yet.

    The spec stays as it is: an environment may place the same system on a cluster meanwhile.

    Wrong:

        deployment: {mode: cloud, provider: azure, region: westeurope}

    Right:

        deployment: {mode: on-prem, provider: kubernetes, context: frankfurt}
    """
    return Diagnostic(
        "E0602",
        Severity.ERROR,
        f"target {quote(placement)} is on {quote(provider)}, which is not made yet: {reason}",
        span,
        "place it on provider: kubernetes, here or in an environment",
    )


def environment_not_yet(found: Diagnostic) -> Diagnostic:
    """An environment is on a provider that modelyard does not emit for yet: told without failing what works already.

    `modelyard validate` without `--env` looks at all environments. One that cannot be compiled yet is an error where it
    is named.

    Wrong:

        environments: {later: {deployment: {mode: cloud, targets: {main: {provider: azure, …}}}}}

    Right:

        environments: {later: {deployment: {mode: cloud, targets: {main: {provider: aws, …}}}}}
    """
    return Diagnostic("W0602", Severity.WARNING, found.message, found.span)


def gateway_needed(span: Span, placement: str, what: str) -> Diagnostic:
    """Traffic is divided and copied by a gateway of the cluster; this target says of none.

    Services of Kubernetes know no weights. Say which Gateway of the Gateway API there is, or from which class one is to
    be made.

    Wrong:

        deployment: {mode: on-prem, provider: kubernetes, context: frankfurt}
        inference: {scorer: {variants: {champion: {…}, challenger: {…}}, traffic: {champion: 95, challenger: 5}}}

    Right:

        deployment:
          mode: on-prem
          provider: kubernetes
          context: frankfurt
          gateway: {name: edge, namespace: gateways}
    """
    return Diagnostic(
        "E0610",
        Severity.ERROR,
        f"{what} needs a gateway, and target {quote(placement)} has none",
        span,
        f"declare the gateway of target {quote(placement)}: its class, or the name of an existing one",
    )


def mirror_unsupported(span: Span, placement: str) -> Diagnostic:
    """Not every controller of the Gateway API copies requests, and one that does not drops the whole route.

    So a target has to say that its gateway supports the filter RequestMirror.

    Wrong:

        gateway: {name: edge, namespace: gateways}
        inference: {scorer: {mirror: {to: challenger}, …}}

    Right:

        gateway: {name: edge, namespace: gateways, mirrors: true}
        inference: {scorer: {mirror: {to: challenger}, …}}
    """
    return Diagnostic(
        "E0611",
        Severity.ERROR,
        f"the gateway of target {quote(placement)} is not known to mirror requests",
        span,
        "write mirrors: true at the gateway if its controller supports RequestMirror; or remove the mirror",
    )


def rollout_owns_route(span: Span, field: str) -> Diagnostic:
    """In an incremental rollout KubeRay makes gateway and route itself: plain HTTP, every host, the whole path.

    What says how clients reach the endpoint would not be honoured there.

    Wrong:

        rollout: {strategy: incremental}
        endpoint: {exposure: internal, host: scores.acme.example}

    Right:

        rollout: {strategy: blue-green}
        endpoint: {exposure: internal, host: scores.acme.example}
    """
    return Diagnostic(
        "E0612",
        Severity.ERROR,
        f"an incremental rollout cannot honour {field}: KubeRay makes its route, for every host and path, on port 80",
        span,
        f"remove {field}, or choose strategy: blue-green",
    )


def run_elsewhere(span: Span, pipeline: str, placement: str, other: str, way: str) -> Diagnostic:
    """A monitor asks for a run on another target through an object store, and no store is open to both targets.

    It has no way into the API of another cluster. It writes a request into the store of artifacts, or into the first
    other store that both reach, and what runs beside the pipeline looks there every few minutes.

    Wrong:

        targets: {main: {provider: kubernetes}, edge: {provider: kubernetes}}
        stores: {lake: {type: object, target: main, adopt: lake, endpoint: "https://s3.main.example"}}
        pipelines: {retrain: {target: main, …}}
        monitors: {drift: {target: edge, onBreach: {run: pipelines.retrain}, …}}

    Right:

        targets: {main: {provider: kubernetes, reachableFrom: [edge]}, edge: {provider: kubernetes}}
        stores: {lake: {type: object, target: main, adopt: lake, endpoint: "https://s3.main.example"}}
        pipelines: {retrain: {target: main, …}}
        monitors: {drift: {target: edge, onBreach: {run: pipelines.retrain}, …}}
    """
    return Diagnostic(
        "E0613",
        Severity.ERROR,
        f"the monitor on target {quote(placement)} cannot ask for a run of {quote(pipeline)} on {quote(other)}:"
        " no object store is open to both",
        span,
        f"{way}, place the monitor on {quote(other)}, or let it only notify",
    )


def way_to_a_store(store: str, target: str, placement: str, *, service: bool) -> str:
    """What would open a store to a target that does not reach it; `service`: its address is that of a Service."""
    if not store:
        return "declare an object store that both reach"
    if service:
        return f"give store {quote(store)} an address that both reach"
    there = f"target {quote(target)}, where store {quote(store)} is,"
    return f"add {quote(placement)} to reachableFrom of {there} if the network allows it"


def run_of_once(span: Span, pipeline: str) -> Diagnostic:
    """A pipeline with `schedule: once` runs when it is deployed and leaves nothing to start it again from.

    Wrong:

        pipelines: {retrain: {schedule: once, …}}
        monitors: {drift: {onBreach: {run: pipelines.retrain}, …}}

    Right:

        pipelines: {retrain: {schedule: on-demand, …}}
        monitors: {drift: {onBreach: {run: pipelines.retrain}, …}}
    """
    return Diagnostic(
        "E0614",
        Severity.ERROR,
        f"{quote(pipeline)} runs once and cannot be started again",
        span,
        f"give {quote(pipeline)} schedule: on-demand, or a cron",
    )


def registry_elsewhere(span: Span, workload: str, placement: str, other: str) -> Diagnostic:
    """A registry that runs in one cluster has no address in another one, and what trains writes to it.

    Models are served, scored and watched elsewhere from bundles. What trains elsewhere needs a registry that is
    reachable from all clusters: one that is adopted by its URL.

    Wrong:

        deployment: {placement: {default: main, training: edge, registry: main}, …}
        registry: {database: runs, artifacts: lake}

    Right:

        deployment: {placement: {default: main, training: edge, registry: main}, …}
        registry: {adopt: "https://mlflow.acme.example"}
    """
    return Diagnostic(
        "E0615",
        Severity.ERROR,
        f"{quote(workload)} on target {quote(placement)} needs the registry, which is inside of target {quote(other)}",
        span,
        "adopt a registry by a URL that both reach, or place the two together",
    )
