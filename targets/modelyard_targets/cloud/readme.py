"""Values for cloud READMEs: projects, adopted stores, secrets to store, and hosts that need a route."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from urllib.parse import urlsplit

from modelyard import __version__
from modelyard.plan import Access, Identity, Secret
from modelyard.program import Call
from modelyard.records import record, replace
from modelyard.spec import Store, System
from modelyard.stack import Project
from modelyard_targets.cloud.data import has_registry, managed_databases
from modelyard_targets.cloud.services import SECRETS_MANAGER
from modelyard_targets.kube.access.secrets import NeededSecret, secrets_of, store_of
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.project.workloads_project import Workloads
from modelyard_targets.kube.readme.crossings import crossing_values
from modelyard_targets.kube.readme.readme import readme_values


@record
class Opened:
    """A row in the README's table of adopted stores."""

    name: str
    readers: tuple[str, ...]


@record
class StoredSecret:
    """A row in the README's table of secrets that must exist in the cloud's secret service."""

    name: str
    keys: tuple[str, ...]
    workloads: tuple[str, ...]


def cluster_values(context: Context, projects: Sequence[Project], workloads: Workloads) -> dict[str, object]:
    """Return the README's values for a target with a cluster. `projects` are its infrastructure projects."""
    return {
        **readme_values(context, workloads),
        "projects": (*projects, *workloads.projects),
        "infrastructure": projects,
        "workloads": workloads.projects,
        "private": context.target.network == "private",
        "own_registry": has_registry(context),
        "databases": [resource.name for resource in managed_databases(context)],
    }


def stores_values(context: Context, projects: Sequence[Project]) -> dict[str, object]:
    """Return the README's values for a target without a cluster."""
    return {
        "version": __version__,
        "system": context.system,
        "placement": context.placement,
        "target": context.target,
        "projects": projects,
        **crossing_values(context),
    }


def mail_values(calls: Iterable[Call]) -> dict[str, object]:
    """Return the README's values about emails, which are sent by budgets and by alarms."""
    components = {call.component for call in calls}
    return {"budgeted": "Budget" in components, "alarmed": "Alarms" in components}


def opened_stores(
    context: Context, access_of: Callable[[Identity, System], Iterable[Access]]
) -> Iterator[tuple[Store, tuple[str, ...]]]:
    """Yield each store in the cloud that this placement's workloads use, along with these workloads."""
    readers: dict[str, list[str]] = {}
    for resource in context.plan.of(Identity, context.placement):
        for name in dict.fromkeys(access.store for access in access_of(resource.value, context.system)):
            readers.setdefault(name, []).append(resource.name)
    for name, workloads in readers.items():
        yield context.system.stores[name], tuple(workloads)


def adopted_values(
    context: Context, access_of: Callable[[Identity, System], Iterable[Access]]
) -> dict[str, tuple[Opened, ...]]:
    """Return the README's values with the table of adopted stores."""
    stores = opened_stores(context, access_of)
    return {"opened": tuple(Opened(store.adopt, workloads) for store, workloads in stores if store.adopt)}


def other_targets(context: Context, access_of: Callable[[Identity, System], Iterable[Access]]) -> set[str]:
    """Return the other targets that create stores for this placement's workloads."""
    created = {store.target for store, _ in opened_stores(context, access_of) if not store.adopt}
    return created - {context.placement}


def secrets_to_store(context: Context) -> tuple[NeededSecret, ...]:
    """Return the secrets that must exist in the cloud's service before deploying, merged across namespaces."""
    merged: dict[str, NeededSecret] = {}
    for secret in secrets_of(context.plan.of(Secret, context.placement), context):
        if store_of(secret.ref, context).via == SECRETS_MANAGER:
            known = merged.get(secret.ref.path, secret)
            keys = tuple(dict.fromkeys((*known.keys, *secret.keys)))
            workloads = tuple(dict.fromkeys((*known.workloads, *secret.workloads)))
            merged[secret.ref.path] = replace(known, keys=keys, workloads=workloads)
    return tuple(merged.values())


def stored_secrets(context: Context, name_of: Callable[[str], str]) -> list[StoredSecret]:
    """Return the README's table of secrets to store. `name_of` maps a path in the spec to a name in the cloud's
    service.
    """
    secrets = secrets_to_store(context)
    return [StoredSecret(name_of(secret.ref.path), secret.keys, secret.workloads) for secret in secrets]


def on_premises_hosts(context: Context) -> Iterator[str]:
    """Yield the on-premises cluster hosts that the network needs a route to."""
    system = context.system
    for link in context.plan.crossings(context.placement):
        if link.ends[0] == context.placement and not system.target(link.ends[1]).in_cloud:
            store = context.plan.at(link.sink, Store)
            yield _host(store.value.endpoint or store.value.adopt) if store is not None else link.ends[1]


def hosts_elsewhere(context: Context, reached: tuple[str, ...]) -> Iterator[str]:
    """Yield the hosts that a network without internet access needs a route to, except those in `reached`.

    `reached` contains suffixes of hosts that are reachable anyway.
    """
    registry, target = context.system.registry, context.target
    urls = (target.images.registry, registry.adopt if registry else "", target.telemetry.remote_write)
    yield from (host for host in map(_host, urls) if host and not host.endswith(reached))


def _host(address: str) -> str:
    """Return the host of a URL, with or without a scheme."""
    try:
        return urlsplit(address if "://" in address else f"//{address}").hostname or address
    except ValueError:  # an invalid address is reported elsewhere
        return address
