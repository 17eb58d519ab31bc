"""Plan shared resources: clusters, namespaces, secrets, stores, the registry and channels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.diagnostics.plan import no_registry, unused_target
from modelyard.names import object_name
from modelyard.plan import (
    SYSTEM_POOL,
    AlertRules,
    ByType,
    Cluster,
    Identity,
    Job,
    Kind,
    Link,
    Namespace,
    NodePool,
    Offer,
    Plan,
    Promoter,
    RegistryServer,
    Resource,
    Route,
    Secret,
    SystemPool,
    is_adopted,
    of_type,
    reports,
)
from modelyard.planner.draft import Draft, Needs
from modelyard.source import Path
from modelyard.spec import Channel, Store, System, TargetSpec, target_path

_CHANNEL_SECRETS = {"slack": "url", "webhook": "url", "pagerduty": "key", "email": "password"}
_REGISTRY_ALERTS = "registry.alerts"
"""The name of the registry's alerts. The dot prevents collisions with alerts that are named after workloads."""


def plan_stores(draft: Draft) -> None:
    """Plan each store in the spec, managed or adopted, on its target."""
    for store in draft.system.stores.values():
        kind = Kind.OBJECT_STORE if store.type == "object" else Kind.DATABASE
        origin: Path = ("stores", store.name)
        resource = draft.share(kind, store.called, store.target, origin, store)
        workload = f"stores.{store.name}"
        credentials = store.credentials_of(workload)
        if credentials is not None and (store.credentials_per == "store" or not store.adopt):
            draft.use_secret(credentials, store.target, (*origin, "credentials"), workload, resource.place)


def plan_registry(draft: Draft) -> None:
    """Plan the registry if a model is trained, served or used for scoring. Reports an error if the spec has none."""
    system = draft.system
    use = next(_model_uses(draft), None)
    registry = system.registry
    if use is None:
        return
    if registry is None:
        origin, model = use
        draft.report([no_registry(system.at(*origin), model)])
        return
    placement = system.deployment.placement.registry
    database, artifacts = system.stores.get(registry.database), system.stores.get(registry.artifacts)
    needs = Needs("registry")
    if artifacts is not None:
        draft.artifacts = (artifacts.name, registry.artifact_path)
        needs.store(artifacts.name, registry.artifact_path, "write", "artifacts")
        draft.wants_credentials(needs, artifacts.name)
    if database is not None:
        draft.wants_credentials(needs, database.name)
    needs.secret(registry.credentials, "registry", "credentials")
    origin = ("registry",)
    if not registry.adopt:
        value = Identity("registry", tuple(needs.access), tuple(needs.secrets), "")
        draft.share(Kind.IDENTITY, "registry", placement, origin, value, "registry")
    server = RegistryServer(registry, database, artifacts)
    resource = draft.share(Kind.REGISTRY, "registry", placement, origin, server, "registry")
    draft.registry = resource
    if registry.adopt:
        return
    for ref, keys in needs.secrets.items():
        draft.use_secret(ref, placement, keys, "registry", resource.place)
    if database is not None:
        draft.link_store(resource, database.name, "database")
    if artifacts is not None:
        draft.link_store(resource, artifacts.name, "artifacts")
    if draft.alerts_owner(placement):
        draft.add(Kind.ALERT_RULES, _REGISTRY_ALERTS, placement, origin, AlertRules(registry=server), "registry")


def _model_uses(draft: Draft) -> Iterator[tuple[Path, str]]:
    """Yield every use of a model (training, scoring or serving), with its line in the spec."""
    for pipeline in draft.system.pipelines.values():
        if pipeline.model is not None:
            yield ("pipelines", pipeline.name, "model"), pipeline.model.model
        for step in pipeline.steps:
            if step.model is not None:
                yield (*step.path, "model"), step.model.model
    for inference in draft.system.inference.values():
        for variant in inference.variants:
            yield ("inference", inference.name, "variants", variant.name, "model"), variant.model.model
        for adapter in inference.adapters:
            yield ("inference", inference.name, "adapters", adapter.name), adapter.model.model


def finish(draft: Draft) -> Plan:
    """Put shared resources before the workloads: clusters with add-ons, namespaces, secrets and channels.

    A target whose resources are all outside a cluster does not get a cluster.
    """
    channels = tuple(_channels(draft))
    used = {resource.placement for resource in (*draft.shared, *draft.workloads)}
    running = {item.placement for item in (*draft.shared, *draft.workloads) if _on_cluster(item, draft)}
    # without a cluster, there is no Secret for the credentials of an adopted store
    draft.secrets = {key: use for key, use in draft.secrets.items() if key[0] in running}
    _target_secrets(draft, running)
    secrets = tuple(_secrets(draft))
    addons = _addons(draft, (*secrets, *draft.shared, *draft.workloads))
    workloads = tuple(item for item in draft.workloads if item.kind is not Kind.DASHBOARD or _observed(item, addons))
    everything = (*secrets, *draft.shared, *channels, *workloads)
    clusters: list[Resource] = []
    namespaces: list[Resource] = []
    for target in draft.system.deployment.targets:
        origin = target_path(draft.system, target.name)
        if target.name not in used:
            draft.report([unused_target(draft.system.key(*origin), target.name)])
        if target.name not in running:
            continue
        cluster = Cluster(target, addons[target.name])
        clusters.append(Resource(Kind.CLUSTER, target.name, target.name, origin, "", cluster))
        name = target.namespace or draft.offers[target.name].namespace(draft.system)
        namespaces.append(Resource(Kind.NAMESPACE, name, target.name, (*origin, "namespace"), "", Namespace(target)))
    links = (*draft.links, *_secret_links(draft), *_metric_links(draft, addons))
    return Plan(
        draft.system, (*clusters, *_system_pools(draft, running), *_node_pools(draft), *namespaces, *everything), links
    )


def _on_cluster(resource: Resource, draft: Draft) -> bool:
    """Return whether a resource needs a cluster on its target. On an existing cluster, every resource does.

    Adopted resources already exist. Their credentials are stored where their readers run.
    """
    return not is_adopted(resource) and resource.kind not in draft.offers[resource.placement].apart


def _system_pools(draft: Draft, running: set[str]) -> Iterator[Resource]:
    """Plan a machine pool for Pods without a compute class, on each target with a cluster and a choice of machines."""
    for target in draft.system.deployment.targets:
        if target.name in running:
            hardware = draft.offers[target.name].choose_system(draft.system, target)
            if hardware is not None:
                origin, pool = target_path(draft.system, target.name), SystemPool(hardware)
                yield Resource(Kind.SYSTEM_POOL, SYSTEM_POOL, target.name, origin, "", pool)


def _node_pools(draft: Draft) -> Iterator[Resource]:
    """Plan a node pool for each compute class that is used on a target that creates machines."""
    for target in draft.targets:
        for compute in draft.system.compute.values():
            hardware = draft.chosen(compute.name, target)
            if hardware is not None and (hardware.groups or hardware.elastic):
                pool = NodePool(compute.name, hardware)
                yield Resource(Kind.NODE_POOL, object_name(compute.name), target, compute.path, "", pool)


def _observed(resource: Resource, addons: dict[str, tuple[str, ...]]) -> bool:
    """Return whether the target has a Prometheus that collects a resource's metrics."""
    return "prometheus" in addons[resource.placement]


def _target_secrets(draft: Draft, running: set[str]) -> None:
    """Collect the targets' own secrets: the Gateway's certificate and the remote-write token."""
    for target in draft.system.deployment.targets:
        if target.name not in running:
            continue
        origin, reader = target_path(draft.system, target.name), f"deployment.{target.name}"
        if target.gateway is not None and target.gateway.certificate is not None:
            where = (*origin, "gateway", "certificate")
            draft.use_secret(target.gateway.certificate, target.name, where, reader)
        if target.telemetry.secret is not None:
            draft.use_secret(target.telemetry.secret, target.name, (*origin, "telemetry", "secret"), reader)


def _secrets(draft: Draft) -> Iterator[Resource]:
    """Plan a resource for each secret on each target where it is read."""
    for (placement, ref), use in draft.secrets.items():
        name = object_name(*(part for part in (ref.store, *ref.path.split("/"), ref.key) if part))
        yield Resource(Kind.SECRET, name, placement, use.origin, "", Secret(ref, tuple(use.workloads)))


def _secret_links(draft: Draft) -> Iterator[Link]:
    for (placement, ref), use in draft.secrets.items():
        name = object_name(*(part for part in (ref.store, *ref.path.split("/"), ref.key) if part))
        for reader in use.readers:
            if reader.startswith(f"{placement}:"):
                yield Link(reader, f"{placement}:{Kind.SECRET}/{name}", "secret")


def _channels(draft: Draft) -> Iterator[Resource]:
    """Plan each channel on every target that sends alerts to it, for a monitor or for the owner.

    An installed Prometheus also sends the cluster's alerts to the owner, even if each monitor notifies others.
    """
    used: dict[tuple[str, str], None] = {}
    oncall = draft.system.governance.owner.oncall
    if oncall:
        addons = _addons(draft, (*draft.shared, *draft.workloads))
        for target in draft.targets.values():
            if _sends_cluster_alerts(target, addons[target.name]):
                used.setdefault((target.name, oncall))
    for rules in of_type(draft.workloads, AlertRules):
        monitor = rules.value.monitor
        notify = monitor.on_breach.notify if monitor is not None else ()
        where = draft.targets[rules.placement].telemetry.alerts_on or rules.placement
        for name in notify or ((oncall,) if oncall else ()):
            used.setdefault((where, name))
    for placement, name in used:
        channel = draft.system.channels[name]
        yield _channel(draft, channel, placement)


def _sends_cluster_alerts(target: TargetSpec, addons: tuple[str, ...]) -> bool:
    installed = "prometheus" in addons and "prometheus" not in target.present
    return installed and not target.telemetry.alerts_on and not target.edge


def _channel(draft: Draft, channel: Channel, placement: str) -> Resource:
    origin: Path = ("channels", channel.name)
    resource = Resource(Kind.CHANNEL, channel.name, placement, origin, f"channels.{channel.name}", channel)
    if channel.secret is not None:
        where = (*origin, _CHANNEL_SECRETS[channel.type])
        draft.use_secret(channel.secret, placement, where, resource.workload, resource.place)
    return resource


def _addons(draft: Draft, resources: tuple[Resource, ...]) -> dict[str, tuple[str, ...]]:
    """Return the add-ons that the resources on each target need, in installation order."""
    needs: dict[str, set[str]] = {name: set() for name in draft.targets}
    for resource in resources:
        offer = draft.offers[resource.placement]
        if _needs(resource, draft.targets[resource.placement], offer):
            needs[resource.placement].update(offer.addons.get(resource.kind, ()))
    for name, target in draft.targets.items():
        if target.telemetry.remote_write or ("prometheus" in target.present and "kuberay" in needs[name]):
            needs[name].add("prometheus")
    return {name: tuple(addon for addon in _ORDER if addon in needed) for name, needed in needs.items()}


_ORDER = ("prometheus", "external-secrets", "cloudnative-pg", "envoy-gateway", "kuberay")


def _always(resource: Resource, target: TargetSpec, offer: Offer) -> bool:
    return True


def _unless_adopted(resource: Resource[Store], target: TargetSpec, offer: Offer) -> bool:
    """Return whether a store needs add-ons. Adopted buckets do, and adopted databases do not."""
    return resource.kind is not Kind.DATABASE or not resource.value.adopt


def _through_our_gateway(resource: Resource[Route], target: TargetSpec, offer: Offer) -> bool:
    creates_gateway = target.gateway is None or target.gateway.class_name == offer.gateway_class != ""
    return creates_gateway and resource.value.needs_gateway


def _synced(resource: Resource[Secret], target: TargetSpec, offer: Offer) -> bool:
    """Return whether external-secrets copies a secret into the cluster."""
    store_name = resource.value.ref.store
    return any(store.name == store_name and store.via != "existing" for store in target.secret_stores)


_needs: Final = ByType(_always).case(Store, _unless_adopted).case(Route, _through_our_gateway).case(Secret, _synced)
"""Returns whether a resource needs its kind's add-ons. Adopted databases and existing Gateways and Secrets do not."""


def _metric_links(draft: Draft, addons: dict[str, tuple[str, ...]]) -> Iterator[Link]:
    """Plan the links between workloads and the Prometheus on their target.

    Monitors, runs with a gate, built-in scoring and the promoter push metrics. Prometheus scrapes all Pods except those
    of monitors and the promoter.
    """
    for resource in draft.metrics:
        if not _observed(resource, addons):
            continue
        prometheus = f"{resource.placement}:{Kind.CLUSTER}/{resource.placement}"
        if resource.kind is Kind.MONITOR or _pushes(resource, draft.system):
            yield Link(resource.place, prometheus, "metrics", "http", 9090)
        if resource.kind not in {Kind.MONITOR, Kind.PROMOTER}:
            yield Link(prometheus, resource.place, "metrics", "http", 8080)


def _pushes_nothing(resource: Resource, system: System) -> bool:
    return False


def _pushed_by_runs(resource: Resource[Job], system: System) -> bool:
    return reports(resource.value, system)


def _pushed_by_promoter(resource: Resource[Promoter], system: System) -> bool:
    return resource.value.reports(system)


_pushes: Final = ByType(_pushes_nothing).case(Job, _pushed_by_runs).case(Promoter, _pushed_by_promoter)
"""Returns whether the runs of a pipeline or of the promoter push their own metrics."""
