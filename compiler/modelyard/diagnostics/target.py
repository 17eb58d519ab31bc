"""Diagnostics about features of a plan that a target does not support: E06."""

from __future__ import annotations

from collections.abc import Sequence

from modelyard.diagnostics.base import Diagnostic, Severity, joined, quote
from modelyard.source import Span


def cannot_make(span: Span, kind: str, placement: str, reason: str) -> Diagnostic:
    """The target cannot create a resource of this kind.

    The message names the reason and the closest alternative, and docs/targets.md lists what each target supports. Place
    the workload on another target, or choose the alternative.

    Wrong:

        deployment: {mode: cloud, provider: azure, region: westeurope}

    Right:

        deployment: {mode: on-prem, provider: kubernetes, context: frankfurt}
    """
    return Diagnostic(
        "E0601",
        Severity.ERROR,
        f"target {quote(placement)} cannot create a {kind}: {reason}",
        span,
    )


def gateway_needed(span: Span, placement: str, subject: str) -> Diagnostic:
    """Splitting or mirroring traffic needs a gateway, but the target declares none.

    Kubernetes Services cannot weight traffic. Name an existing Gateway, or the class from which modelyard should create
    one.

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
        f"{subject} needs a gateway, but target {quote(placement)} has none",
        span,
        f"set `gateway` on target {quote(placement)}, with a class or the name of an existing Gateway",
    )


def mirror_unsupported(span: Span, placement: str) -> Diagnostic:
    """Not every Gateway API controller supports mirroring, and one that does not drops the whole route.

    The target must therefore declare that its gateway supports the RequestMirror filter.

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
        f"target {quote(placement)} does not declare that its gateway supports mirroring",
        span,
        "add `mirrors: true` to the gateway if its controller supports RequestMirror, or remove the mirror",
    )


def gateway_class_lacks(span: Span, name: str, features: Sequence[str]) -> Diagnostic:
    """A cloud's own gateway class does not support what routes need, according to its conformance report.

    Its controller would drop the route or ignore the setting. Every route has the `timeout` of its endpoint.

    Wrong:

        targets: {main: {provider: gcp, region: europe-west3, gateway: {class: gke-l7-rilb}}}
        inference: {scorer: {endpoint: {exposure: internal}, …}}

    Right:

        targets: {main: {provider: gcp, region: europe-west3, gateway: {class: envoy}}}
        inference: {scorer: {endpoint: {exposure: internal}, …}}
    """
    return Diagnostic(
        "E0616",
        Severity.ERROR,
        f"routes need {joined(features)}, which gateway class {quote(name)} does not support",
        span,
        "use a gateway class from another controller, such as `envoy`, which modelyard installs on clusters it creates",
    )


def rollout_owns_route(span: Span, field: str) -> Diagnostic:
    """In an incremental rollout, KubeRay creates a gateway and a route for plain HTTP, all hosts and all paths.

    Settings that control how clients reach the endpoint would have no effect there.

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
        f"an incremental rollout does not support `{field}`: KubeRay's route serves all hosts and paths on port 80",
        span,
        f"remove `{field}`, or use `strategy: blue-green`",
    )


def run_elsewhere(span: Span, pipeline: str, placement: str, other: str, remedy: str) -> Diagnostic:
    """A monitor requests runs on another target through an object store, but no store is accessible from both.

    A monitor cannot access another cluster's API. It writes a request to the artifact store, or to the first other
    store that both targets can access, and a launcher next to the pipeline checks that store every few minutes.

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
        f"the monitor on target {quote(placement)} cannot request a run of {quote(pipeline)} on {quote(other)}:"
        " no object store is accessible from both",
        span,
        f"{remedy}, place the monitor on {quote(other)}, or let it only send notifications",
    )


def way_to_a_store(store: str, target: str, placement: str, *, service: bool) -> str:
    """Suggest how to make a store reachable from another target.

    `service` means that the store's address is a Service.
    """
    if not store:
        return "declare an object store that both can access"
    if service:
        return f"give store {quote(store)} an endpoint that both can reach"
    there = f"`reachableFrom` of target {quote(target)}"
    return f"add {quote(placement)} to {there} (if the network allows access to store {quote(store)})"


def run_of_once(span: Span, pipeline: str) -> Diagnostic:
    """A pipeline with `schedule: once` runs when it is deployed and cannot be started again.

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
        f"pipeline {quote(pipeline)} runs once and cannot be started again",
        span,
        f"give {quote(pipeline)} `schedule: on-demand` or a `cron` schedule",
    )


def registry_elsewhere(span: Span, workload: str, placement: str, other: str) -> Diagnostic:
    """A registry that runs inside a cluster cannot be reached from another cluster, but training writes to it.

    Endpoints, batch inference and monitors on other targets use model bundles. Training on another target needs an
    adopted registry whose URL all clusters can reach.

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
        f"{quote(workload)} on target {quote(placement)} needs the registry, which is inside target {quote(other)}",
        span,
        "adopt a registry with a URL that both can reach, or place both on one target",
    )
