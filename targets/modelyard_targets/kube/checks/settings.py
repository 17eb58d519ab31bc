"""Check a target's cluster-independent settings: labels, gateway, telemetry and overrides."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Final

from modelyard.diagnostics import platform as problems
from modelyard.diagnostics.base import Diagnostic
from modelyard.plan import Identity, ModelServer, Plan, Route
from modelyard.spec import FIRST_KEYS, Gateway, Inference, TargetSpec, target_path
from modelyard.stack import Value
from modelyard_targets.kube.checks.secrets import check_secrets
from modelyard_targets.kube.data.crossing import crosses_from
from modelyard_targets.kube.data.disk import has_disk
from modelyard_targets.kube.data.federated import shows_issuer
from modelyard_targets.kube.metrics.promql import duration
from modelyard_targets.kube.monitoring.metrics_disk import fitting_days, volume_gi
from modelyard_targets.kube.network.route import needs_route
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.placement.placed import addons_needed, addons_to_install, target_of

_DAY_S: Final = 86400
_RESERVED: Final = ("app.kubernetes.io/", "modelyard.dev/", "kubernetes.io/")


def check_settings(plan: Plan, placement: str, target: TargetSpec) -> Iterator[Diagnostic]:
    """Run all checks in this module except for overrides, which need emitted objects.

    `target` is the placement's target including platform defaults.
    """
    yield from check_telemetry(plan, placement)
    yield from check_cluster_alerts(plan, placement)
    yield from check_retention(plan, placement)
    yield from check_gateway(plan, placement, target.gateway)
    yield from check_labels(plan, placement)
    yield from check_secrets(plan, placement)
    yield from check_unused(plan, placement)


def check_telemetry(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report `remoteWrite` for an existing Prometheus, or an address for a Prometheus that we install."""
    target = target_of(plan, placement)
    here = (*target_path(plan.system, placement), "telemetry")
    present = "prometheus" in target.present
    if target.telemetry.remote_write and present:
        yield problems.prometheus_is_theirs(plan.system.key(*here, "remoteWrite"), placement, "remoteWrite")
    if target.telemetry.prometheus and not present:
        yield problems.prometheus_is_ours(plan.system.at(*here, "prometheus"), placement)


def check_cluster_alerts(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report cluster alerts that nobody receives, from a Prometheus that we install.

    Systems with an SLO already get a different warning about the missing channel.
    """
    installed = "prometheus" in addons_to_install(plan, placement) and not target_of(plan, placement).edge
    promising = any(inference.slo for inference in plan.system.inference.values())
    if installed and not promising and not plan.system.governance.owner.oncall:
        yield problems.cluster_alerts_without_reader(plan.system.key("governance", "owner"), placement)


def check_retention(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report a metrics retention that is too long for our Prometheus volume, or unused without our Prometheus."""
    kept_s = plan.system.governance.retention.metrics_s
    if kept_s is None:
        return
    placements = [target.name for target in plan.system.deployment.targets if plan.has_cluster(target.name)]
    if "prometheus" not in addons_to_install(plan, placement):
        if placements[:1] == [placement] and not any(
            "prometheus" in addons_to_install(plan, name) for name in placements
        ):
            where = plan.system.key("governance", "retention", "metrics")
            yield problems.nothing_uses(
                where, placement, "retention.metrics", "modelyard does not install Prometheus there"
            )
        return
    days = fitting_days(plan, placement)
    if kept_s > days * _DAY_S:
        size = f"{volume_gi(plan.system, target_of(plan, placement))}Gi"
        where = plan.system.at("governance", "retention", "metrics")
        sent_on = bool(target_of(plan, placement).telemetry.remote_write)
        yield problems.metrics_cut(where, duration(kept_s), size, f"{days}d", placement, sent_on)


def check_gateway(plan: Plan, placement: str, gateway: Gateway | None) -> Iterator[Diagnostic]:
    """Require TLS for public endpoints and, in regulated industries, for all endpoints with authentication."""
    if gateway is None or not gateway.class_name:
        return
    for route in (resource.value for resource in plan.of(Route, placement)):
        inference, routed = route.inference, needs_route(route, gateway)
        field = ("rollout", "strategy") if inference.endpoint.exposure == "cluster" else ("endpoint", "exposure")
        where = plan.system.at("inference", inference.name, *field)
        if routed and gateway.certificate is not None:
            continue
        if routed and inference.endpoint.exposure == "public":
            yield problems.public_without_certificate(where, inference.name, placement, gateway.class_name)
        elif (
            plan.system.profile.regulated
            and inference.endpoint.auth.type != "none"
            and _leaves_cluster(inference, target_of(plan, placement))
        ):
            why = f"the gateway of target '{placement}' has no certificate"
            instead = f"add `gateway: {{class: {gateway.class_name}, certificate: secret://…}}` to the target"
            if not routed:
                why = "the Gateway that KubeRay creates for an incremental rollout has no TLS"
                instead = "use `rollout: {strategy: blue-green}`"
                if gateway.certificate is None and inference.endpoint.exposure == "internal":
                    instead += f", and add `gateway: {{class: {gateway.class_name}, certificate: secret://…}}`"
            yield problems.token_in_clear(where, inference.name, why, instead)


def _leaves_cluster(inference: Inference, target: TargetSpec) -> bool:
    """Return whether a non-public endpoint may have clients outside its cluster.

    During an incremental rollout, KubeRay's Gateway may be reachable from outside, depending on the gateway class. In
    clusters created by modelyard, it isn't.
    """
    in_steps = inference.rollout.strategy == "incremental"
    return inference.endpoint.exposure == "internal" or (in_steps and not target.creates_cluster)


def check_labels(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report labels with a reserved prefix, because the spec's labels are set on every object."""
    for label, _ in plan.system.metadata.labels:
        if label.startswith(_RESERVED):
            yield problems.reserved_label(plan.system.key("metadata", "labels", label), label)


def check_unused(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report target settings that have no effect."""
    target = target_of(plan, placement)
    here = target_path(plan.system, placement)
    for field, what, used in _uses(plan, placement, target):
        if not used:
            yield problems.nothing_uses(plan.system.key(*here, *field.split(".")), placement, field, what)


def check_patches(plan: Plan, placement: str, context: Callable[[], Context]) -> Iterator[Diagnostic]:
    """Apply the overrides to the objects that they name. `context` is only called if there are overrides."""
    if all(override.target != placement for override in plan.system.overrides):
        return
    # Objects are expensive to build, so build them only if there are overrides.
    from modelyard_targets.kube.objects.overrides import check_overrides
    from modelyard_targets.kube.project.files import files_of, plain_objects_of

    full_context = context()
    objects = (obj for file in files_of(full_context) for obj in plain_objects_of(file, full_context))
    yield from check_overrides(plan.system, placement, objects)


def check_ranges(plan: Plan, placement: str, context: Callable[[], Context]) -> Iterator[Diagnostic]:
    """Report `egress` if no network policy contains any of its ranges. `context` is only called if it is set.

    Ranges only limit where the ports of the spec's own addresses are open, and don't open anything by themselves. If
    the cluster API's address is unknown, they are also part of the rule for the API.
    """
    ranges = target_of(plan, placement).egress
    if not (ranges and plan.has_cluster(placement)):
        return
    full_context = context()
    if not full_context.platform.api_addresses(full_context):
        return
    from modelyard_targets.kube.project.files import files_of, plain_objects_of

    objects = (obj.manifest for file in files_of(full_context) for obj in plain_objects_of(file, full_context))
    policies = (manifest for manifest in objects if manifest["kind"] == "NetworkPolicy")
    if not any(_mentions(policy, ranges) for policy in policies):
        where = plan.system.key(*target_path(plan.system, placement), "egress")
        why = "it only limits connections to addresses in the spec, and nothing there makes one that it could limit"
        yield problems.nothing_uses(where, placement, "egress", why)


def _mentions(value: Value, ranges: Collection[str]) -> bool:
    """Return whether any of the ranges is in a policy."""
    if isinstance(value, Mapping):
        return any(_mentions(entry, ranges) for entry in value.values())
    if isinstance(value, (list, tuple)):
        return any(_mentions(entry, ranges) for entry in value)
    return value in ranges


def _uses(plan: Plan, placement: str, target: TargetSpec) -> Iterator[tuple[str, str, bool]]:
    """Yield each setting, the reason why it may have no effect, and whether it has one."""
    addons, installs = addons_needed(plan, placement), addons_to_install(plan, placement)
    if target.storage_class:
        disks = any(has_disk(resource, plan, target) for resource in plan.on(placement))
        used = "prometheus" in installs or "cloudnative-pg" in addons or disks
        yield "storageClass", "no workload or database there has a volume", used
    if target.gateway is not None:
        routes = [route.value for route in plan.of(Route, placement)]
        used = any(needs_route(route, target.gateway) for route in routes) or any(
            route.inference.rollout.strategy == "incremental" for route in routes
        )
        yield "gateway", "no endpoint there uses it", used
        if used and target.gateway.certificate is not None:
            tls = any(needs_route(route, target.gateway) for route in routes)
            yield "gateway.certificate", "the Gateway that KubeRay creates for an incremental rollout has no TLS", tls
    if target.access_keys != FIRST_KEYS:
        used = any(
            crosses_from(plan.system.stores[access.store], target, plan.system)
            for identity in plan.of(Identity, placement)
            for access in identity.value.access
        )
        yield "accessKeys", "no workload there accesses an AWS bucket with a key", used
    if target.issuer:
        yield "issuer", "no workload there accesses a cloud store with its own identity", shows_issuer(plan, placement)
    if target.head_state is not None:
        yield "headState", "no model is served there", bool(plan.of(ModelServer, placement))
    if target.telemetry != type(target.telemetry)():
        yield "telemetry", "no workload there is monitored", "prometheus" in addons
