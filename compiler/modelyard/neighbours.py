"""Report conflicts between a spec's environments, such as a shared namespace or an add-on installed twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics.environments import (
    environments_share_folders,
    environments_share_group,
    environments_share_identities,
    environments_share_namespace,
    installed_twice,
)
from modelyard.inputs import Inputs
from modelyard.overlay import SECTION
from modelyard.pipeline import Outcome, drawn, read
from modelyard.plan import Cluster, Identity, Namespace, Plan
from modelyard.records import replace
from modelyard.source import Document, Span
from modelyard.target import Targets


def check_neighbours(plans: Mapping[str, Plan], places: Mapping[str, Span]) -> Iterator[Diagnostic]:
    """Check every environment against those before it. `places` holds each environment's span in the spec."""
    names = sorted(plans)
    for at, name in enumerate(names):
        yield from _meetings(name, plans[name], {other: plans[other] for other in names[:at]}, places[name])


def check_compiled(
    inputs: Inputs, own: Plan, spec: Outcome, names: Iterable[str], targets: Targets
) -> Iterator[Diagnostic]:
    """Check the compiled environment, whose plan is `own`, against the spec's other environments.

    Only environments that share a cluster or account with it are planned. Environments with errors are skipped.
    """
    contexts = {place for place, _ in (*_namespaces(own), *_identities(own), *_groups(own))}
    if inputs.environment is None or spec.document is None or not contexts:
        return
    plans: dict[str, Plan] = {}
    for name in sorted({*names} - {inputs.environment}):
        picked = replace(inputs, environment=name, overlay=inputs.beside.get(name))
        document = read(picked, spec).document
        if document is not None and contexts & set(_contexts(document)):
            plan = drawn(picked, targets, spec)
            plans |= {} if plan is None else {name: plan}
    place = places_of(inputs, spec.document, [inputs.environment])[inputs.environment]
    yield from _meetings(inputs.environment, own, plans, place)


def _meetings(name: str, plan: Plan, others: Mapping[str, Plan], place: Span) -> Iterator[Diagnostic]:
    """Report each namespace and add-on that this environment shares with another environment, once.

    A cloud cluster belongs to a single environment. An existing cluster is identified by its kubeconfig context.
    """
    shared: set[str] = set()
    namespaces = {key: other for other in reversed(list(others)) for key in _namespaces(others[other])}
    for context, namespace in _namespaces(plan):
        if (context, namespace) in namespaces:
            shared.add(context)
            yield environments_share_namespace(place, name, namespaces[context, namespace], namespace, context)
    installed = {key: other for other in reversed(list(others)) for key in _installed(others[other])}
    twice: dict[tuple[str, str], list[str]] = {}
    for context, addon in _installed(plan):
        if (context, addon) in installed and context not in shared:
            twice.setdefault((installed[context, addon], context), []).append(addon)
    for (other, context), addons in twice.items():
        yield installed_twice(place, name, other, addons, context)
    known = {key: other for other in reversed(list(others)) for key in _identities(others[other])}
    for account, namespace in dict.fromkeys(_identities(plan)):
        if (account, namespace) in known:
            yield environments_share_identities(place, name, known[account, namespace], namespace, account)
    grouped = {key: other for other in reversed(list(others)) for key in _groups(others[other])}
    for group in dict.fromkeys(_groups(plan)):
        if group in grouped:
            yield environments_share_group(place, name, grouped[group], group[1])
    yield from _buckets(name, plan, others, place)


def _buckets(name: str, plan: Plan, others: Mapping[str, Plan], place: Span) -> Iterator[Diagnostic]:
    """Report each adopted bucket in which this environment and another write to the same folder, once."""
    writers = {key: other for other in reversed(list(others)) for key in _written(others[other])}
    shared: dict[tuple[str, str], list[str]] = {}
    for bucket, endpoint, folder in dict.fromkeys(_written(plan)):
        if (bucket, endpoint, folder) in writers:
            shared.setdefault((writers[bucket, endpoint, folder], bucket), []).append(folder)
    for (other, bucket), folders in shared.items():
        yield environments_share_folders(place, name, other, bucket, folders)


def _written(plan: Plan) -> Iterator[tuple[str, str, str]]:
    """Yield each location in an adopted bucket that a workload writes to, as bucket, endpoint and folder."""
    for identity in plan.of(Identity):
        for access in identity.value.access:
            store = plan.system.stores[access.store]
            if store.adopt and access.mode != "read":
                yield store.adopt, store.endpoint, access.prefix


def places_of(inputs: Inputs, spec: Document, names: Iterable[str]) -> dict[str, Span]:
    """Return where each environment is defined: its key in the spec, or the first line of its file."""
    return {
        name: Span(inputs.beside[name].path, 1, 1, 2) if name in inputs.beside else spec.key_span((SECTION, name))
        for name in names
    }


def _namespaces(plan: Plan) -> Iterator[tuple[str, str]]:
    """Yield the context and namespace of each existing cluster."""
    for namespace in plan.of(Namespace):
        target = namespace.value.target
        if target.provider == "kubernetes":
            yield target.context, namespace.name


def _identities(plan: Plan) -> Iterator[tuple[str, str]]:
    """Yield the account and namespace of each target whose cloud identifies workloads by these alone."""
    for namespace in plan.of(Namespace):
        account = namespace.value.target.options.identities
        if account:
            yield account, namespace.name


def _groups(plan: Plan) -> Iterator[tuple[str, str]]:
    """Yield the account and name of each existing resource group where a target creates its resources."""
    for target in plan.system.deployment.targets:
        account, group = target.options.group
        if account and group and plan.on(target.name):
            yield account, group


def _installed(plan: Plan) -> Iterator[tuple[str, str]]:
    """Yield the context of each existing cluster along with each add-on to install there."""
    for cluster in plan.of(Cluster):
        target = cluster.value.target
        if target.provider == "kubernetes":
            yield from ((target.context, addon) for addon in cluster.value.addons if addon not in target.present)


def _contexts(document: Document) -> Iterator[str]:
    deployment = document.value.get("deployment")
    if not isinstance(deployment, dict):
        return
    targets = deployment.get("targets")
    for target in (deployment, *(targets.values() if isinstance(targets, dict) else ())):
        if isinstance(target, dict) and target.get("provider") == "kubernetes":
            yield str(target.get("context", ""))
        elif isinstance(target, dict) and "account" in target:
            yield str(target["account"])
