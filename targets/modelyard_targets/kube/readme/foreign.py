"""The README's section on identities in other clouds: connections, project order, hosts and paid traffic."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.plan import Identity
from modelyard.records import record
from modelyard.spec import Store
from modelyard_targets.kube.data.crossing import infrastructure_setting
from modelyard_targets.kube.data.federated import (
    CROSSINGS,
    Federated,
    crossings_setting,
    federated_on,
    foreign_identities,
)
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.readme.prose import Markup
from modelyard_targets.kube.storage.buckets import bucket_name, region_of
from modelyard_targets.kube.storage.clouds import cloud_storage

INFRASTRUCTURE: Final = "infrastructure/"
WORKLOADS: Final = "workloads/"
_CROSSINGS: Final = f"{CROSSINGS}/"
_HTTPS: Final = 443


@record
class Opening:
    """A row in the table of connections between this target and other targets."""

    direction: str
    source: str
    sink: str
    what: str
    protocol: str
    port: int
    opened_by: str


@record
class Before:
    """A folder on another target to apply before a folder here, and the setting for its stack name."""

    target: str
    folder: str
    here: str
    setting: str


@record
class Paid:
    """Stores read by workloads on another target. The stores' owner pays for the traffic."""

    reader: str
    stores: tuple[str, ...]


def token_rows(context: Context) -> Iterator[Opening]:
    """Yield a row for each service where a workload exchanges its ServiceAccount's token."""
    for access in federated_on(context):
        host = access.federation.host.format(region=access.region)
        yield Opening(
            f"out, to {access.target}",
            _source(access, context),
            host,
            "credentials",
            "https",
            _HTTPS,
            "the token of its Pods",
        )


def _source(access: Federated, context: Context) -> str:
    """Return where a workload runs, formatted like the rows for its stores."""
    links = context.plan.crossings(context.placement)
    sources = (link.source for link in links if context.placed[link.source].workload == access.workload)
    return next(sources, f"{context.placement}:{access.workload}")


def trusting_order(context: Context) -> Iterator[Before]:
    """Yield the folders on other targets that must be applied first.

    They come before `crossings` here, or before workloads that have identities there.
    """
    readers = dict.fromkeys(identity.placement for identity, _ in foreign_identities(context.plan, context.placement))
    for name in readers:
        if context.system.target(name).in_cloud:
            yield Before(name, INFRASTRUCTURE, _CROSSINGS, infrastructure_setting(name))
    for target in dict.fromkeys(access.target for access in federated_on(context)):
        yield Before(target, _CROSSINGS, WORKLOADS, crossings_setting(target))


def trust_notes(context: Context) -> tuple[str, ...]:
    """Return notes on what this cloud must know about other clusters.

    This only concerns clusters whose workloads have an identity here. If there are none, neither are there any notes.
    """
    federation = cloud_storage(context.target.provider).federation
    readers = dict.fromkeys(identity.placement for identity, _ in foreign_identities(context.plan, context.placement))
    if federation is None or not readers:
        return ()
    # names of targets are DNS labels, so they contain no markup
    return tuple(Markup(note.replace("{readers}", " or ".join(readers))) for note in federation.notes)


def foreign_hosts(context: Context) -> tuple[str, ...]:
    """Return the hosts of other targets' cloud stores, which a firewall must allow."""
    opened = dict.fromkeys(store for _, store in _opened(context, context.placement))
    stores = [_host(store, context) for store in opened if store.target != context.placement]
    extra = [host for access in federated_on(context) for host in access.federation.also]
    return tuple(dict.fromkeys([*stores, *extra]))


def paid_traffic(context: Context) -> tuple[Paid, ...]:
    """Return stores read by targets outside this cloud, by target, since clouds charge for outgoing traffic."""
    by_reader: dict[str, dict[str, None]] = {}
    for target in context.system.deployment.targets:
        if context.target.in_cloud and target.provider != context.target.provider:
            for _, store in _opened(context, target.name):
                if store.target == context.placement:
                    by_reader.setdefault(target.name, {}).setdefault(store.name)
    return tuple(Paid(reader, tuple(stores)) for reader, stores in by_reader.items())


def _opened(context: Context, placement: str) -> Iterator[tuple[Identity, Store]]:
    """Yield the cloud object stores that a placement's workloads access."""
    for resource in context.plan.of(Identity, placement):
        for name in dict.fromkeys(access.store for access in resource.value.access):
            store = context.system.stores[name]
            if not store.endpoint and context.system.target(store.target).in_cloud:
                yield resource.value, store


def _host(store: Store, context: Context) -> str:
    bucket, _, account = bucket_name(store, context.system).partition("@")
    pattern = cloud_storage(context.system.target(store.target).provider).host
    return pattern.format(bucket=bucket, account=account, region=region_of(store, context.system))
