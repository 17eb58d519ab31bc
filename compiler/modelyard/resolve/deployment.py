"""Resolve deployment targets, in either short or long form, and the placement of each workload type."""

from __future__ import annotations

from collections.abc import Mapping

from modelyard.diagnostics import resolve as problems
from modelyard.nodes import Node, as_node, flag, integer, integers, items, mapping, named_nodes, pairs, text, texts
from modelyard.provider import Provider
from modelyard.resolve.compute import accelerator_of
from modelyard.resolve.quantities import amount, cpu, seconds_or, size
from modelyard.resolve.scope import Scope, reference, references, secret
from modelyard.source import Json, Path
from modelyard.spec import (
    FIRST_KEYS,
    Deployment,
    ExistingCluster,
    Gateway,
    HeadState,
    Images,
    Machines,
    Placement,
    SecretStore,
    Taint,
    TargetSpec,
    Telemetry,
    Waves,
)

_SHORT_NAME = "main"
_NOT_OF_A_TARGET = frozenset({"mode", "targets", "placement"})
_KINDS = ("training", "batch", "inference", "monitors", "registry")


def resolve_deployment(scope: Scope, providers: Mapping[str, Provider]) -> Deployment:
    """Resolve the deployment, and add the target names to the scope, because all later sections refer to them."""
    node = mapping(scope.root, "deployment")
    mode = text(node, "mode")
    if "targets" in node:
        entries: list[tuple[str, Node, Path]] = [
            (name, entry, ("deployment", "targets", name)) for name, entry in named_nodes(node, "targets")
        ]
    else:
        single_target: dict[str, Json] = {"provider": "local"} if mode == "local" else {}
        single_target.update((field, value) for field, value in node.items() if field not in _NOT_OF_A_TARGET)
        entries = [(_SHORT_NAME, single_target, ("deployment",))]
    scope.names["targets"] = {name: None for name, _, _ in entries}
    targets = tuple(_target(scope, name, entry, path, providers) for name, entry, path in entries)
    scope.edges = {target.name for target in targets if target.edge}
    return Deployment(mode, targets, _placement(scope, node, targets))


def _target(scope: Scope, name: str, node: Node, path: Path, providers: Mapping[str, Provider]) -> TargetSpec:
    provider = providers[text(node, "provider")]
    return TargetSpec(
        name=name,
        provider=text(node, "provider"),
        region=text(node, "region"),
        network=text(node, "network", "private"),
        residency=text(node, "residency"),
        context=text(node, "context"),
        namespace=text(node, "namespace"),
        tenancy=text(node, "tenancy", "dedicated"),
        edge=flag(node, "edge", default=False),
        capacity=tuple(
            _machines(scope, as_node(entry, "capacity"), (*path, "capacity", at))
            for at, entry in enumerate(items(node, "capacity"))
        ),
        present=texts(node, "present"),
        storage_class=text(node, "storageClass"),
        gateway=_gateway(mapping(node, "gateway")) if "gateway" in node else None,
        secret_stores=tuple(
            _secret_store(scope, store, entry, (*path, "secretStores", store))
            for store, entry in named_nodes(node, "secretStores")
        ),
        images=_images(mapping(node, "images")),
        telemetry=_telemetry(scope, mapping(node, "telemetry"), (*path, "telemetry")),
        head_state=_head_state(mapping(node, "headState")) if "headState" in node else None,
        egress=texts(node, "egress"),
        priority_classes=pairs(node, "priorityClasses"),
        reachable_from=references(scope, "targets", node, "reachableFrom", path),
        access_keys=integers(node, "accessKeys", FIRST_KEYS),
        issuer=text(node, "issuer"),
        version=text(node, "version"),
        access=texts(node, "access"),
        cluster=_cluster(mapping(node, "cluster")),
        options=provider.resolve_options(node, scope.enterprise),
        in_cloud=provider.in_cloud,
        secrets_via=provider.secrets_via,
        waves=_waves(scope, mapping(node, "sites"), (*path, "sites")),
    )


def _waves(scope: Scope, sites: Node, path: Path) -> Waves | None:
    """Resolve the waves in which models reach the sites."""
    if "waves" not in sites:
        return None
    node = mapping(sites, "waves")
    soak_s = seconds_or(scope, node, "soak", (*path, "waves"), 86_400)
    return Waves(texts(node, "canary"), texts(node, "shares"), soak_s)


def _cluster(node: Node) -> ExistingCluster:
    return ExistingCluster(text(node, "adopt"), text(node, "cidr"), text(node, "nodePools", "existing"))


def _machines(scope: Scope, node: Node, path: Path) -> Machines:
    price, currency = amount(scope, node, "price", path) or (None, "")
    return Machines(
        count=integer(node, "count", 1),
        cpu_millis=cpu(scope, node, "cpu", path),
        memory_bytes=size(scope, node, "memory", path) or 0,
        accelerator=accelerator_of(text(node, "accelerators")) if "accelerators" in node else None,
        accelerator_memory_bytes=size(scope, node, "acceleratorMemory", path),
        labels=pairs(node, "labels"),
        taints=tuple(_taint(as_node(entry, "taints")) for entry in items(node, "taints")),
        spot=flag(node, "spot", default=False),
        price_hourly=price,
        currency=currency,
    )


def _taint(node: Node) -> Taint:
    return Taint(text(node, "key"), text(node, "value"), text(node, "effect", "NoSchedule"))


def _gateway(node: Node) -> Gateway:
    return Gateway(
        class_name=text(node, "class"),
        name=text(node, "name"),
        namespace=text(node, "namespace"),
        listener=text(node, "listener"),
        mirrors=flag(node, "mirrors", default=False),
        certificate=secret(node, "certificate"),
        proxies=text(node, "proxies"),
    )


def _secret_store(scope: Scope, name: str, node: Node, path: Path) -> SecretStore:
    return SecretStore(
        name=name,
        via=text(node, "via", "existing"),
        store=text(node, "store"),
        scope=text(node, "scope", "cluster"),
        refresh_s=seconds_or(scope, node, "refresh", path, 3600),
    )


def _images(node: Node) -> Images:
    return Images(text(node, "registry"), text(node, "pullSecret"), flag(node, "mirror", default=False))


def _head_state(node: Node) -> HeadState:
    return HeadState(text(node, "redis"), secret(node, "password"))


def _telemetry(scope: Scope, node: Node, path: Path) -> Telemetry:
    return Telemetry(
        remote_write=text(node, "remoteWrite"),
        alerts_on=reference(scope, "targets", node, "alertsOn", path),
        secret=secret(node, "secret"),
        prometheus_labels=pairs(node, "labels"),
        namespace=text(node, "namespace", "monitoring"),
        prometheus=text(node, "prometheus"),
    )


def _placement(scope: Scope, node: Node, targets: tuple[TargetSpec, ...]) -> Placement:
    value = node.get("placement")
    if isinstance(value, str):
        target = reference(scope, "targets", node, "placement", ("deployment",))
        return Placement(target, *(target for _ in _KINDS))
    path = ("deployment", "placement")
    placed = mapping(node, "placement")
    default = reference(scope, "targets", placed, "default", path) or targets[0].name
    if "default" not in placed and len(targets) > 1 and not all(kind in placed for kind in _KINDS):
        scope.report(problems.placement_missing(scope.document.key_span(path), scope.names["targets"]))
    return Placement(default, *(reference(scope, "targets", placed, kind, path, default) for kind in _KINDS))
