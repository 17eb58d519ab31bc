"""The README's section on cross-target access: connections, deployment order, and images to transfer."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from modelyard.plan import Kind, Link, MonitorJob, Resource, cluster_service
from modelyard.records import record
from modelyard.spec import TargetSpec
from modelyard_targets.kube.data.crossing import crosses_from, crossing_to, crossings_on, infrastructure_setting
from modelyard_targets.kube.image.needed import needs_runtime_image
from modelyard_targets.kube.image.runtime_image import runtime_image
from modelyard_targets.kube.placement.context import Context, mirrored
from modelyard_targets.kube.placement.fixed import EVERY_MINUTES
from modelyard_targets.kube.project.pins import users_images
from modelyard_targets.kube.readme.foreign import (
    INFRASTRUCTURE,
    WORKLOADS,
    Before,
    Opening,
    foreign_hosts,
    paid_traffic,
    token_rows,
    trust_notes,
    trusting_order,
)
from modelyard_targets.kube.storage.clouds import federates_from


@record
class TransferredImage:
    """An image to transfer to a target: its source, and the name under which nodes pull it."""

    target: str
    source: str
    there: str


def crossing_values(context: Context) -> dict[str, object]:
    """Return the template values for cross-target access. `crossings` is empty if there isn't any."""
    links = context.plan.crossings(context.placement)
    openings = (_opening(link, context) for link in links)
    return {
        "crossings": (*openings, *token_rows(context), *_adopted_registry(context), *_telemetry(context)),
        "trust_notes": trust_notes(context),
        "foreign_hosts": foreign_hosts(context),
        "paid_traffic": paid_traffic(context),
        "waiting_metrics": next((row.sink for row in _telemetry(context)), "") if context.target.edge else "",
        "before": (*_before(links, context), *trusting_order(context)),
        "made_by": _creating_folder(context.target),
        "after": tuple(dict.fromkeys(link.ends[0] for link in _awaited(links, context, inward=True))),
        "keys": bool(crossings_on(context)),
        "key_makers": tuple(dict.fromkeys(crossing.target for crossing in crossings_on(context))),
        "numbers": context.target.access_keys,
        "bundles": _bundles(links, context),
        "requests": tuple(_requests(context)),
        "carried": tuple(_transferred_images(links, context)),
    }


def _opening(link: Link, context: Context) -> Opening:
    inward = link.ends[1] == context.placement
    direction = f"in, from {link.ends[0]}" if inward else f"out, to {link.ends[1]}"
    return Opening(
        direction, link.source, link.sink, link.what, link.protocol, link.port, _opened_by(link, inward, context)
    )


def _opened_by(link: Link, inward: bool, context: Context) -> str:
    source, sink = context.placed[link.source], context.placed[link.sink]
    store = context.system.stores.get(sink.name)
    if sink.kind not in {Kind.OBJECT_STORE, Kind.DATABASE} or store is None:
        return ""
    if store.credentials is not None:
        return "the credentials of the store"
    if store.endpoint or not _target(sink, context).in_cloud:
        return ""
    if federates_from(store, _target(source, context), context.system):
        return "its identity in crossings/" if inward else f"its identity in crossings/ of {sink.placement}"
    if _target(source, context).provider == _target(sink, context).provider:
        return "the role of the workload"
    if inward:
        return f"its own user, {source.placement}.{source.name}"
    crossing = crossing_to(store, source.workload, context)
    return f"the key in the Secret {crossing.secret}" if crossing is not None else ""


def _adopted_registry(context: Context) -> Iterator[Opening]:
    """Yield connections to an adopted registry, which isn't on any target, if there are several targets."""
    registry = context.system.registry
    if registry is None or not registry.adopt or len(context.system.deployment.targets) == 1:
        return
    if cluster_service(registry.adopt) is not None:
        return  # a Service of this cluster
    host = urlsplit(registry.adopt).hostname or registry.adopt
    opened = "the credentials of the registry" if registry.credentials is not None else ""
    for link in context.plan.links:
        if link.what == "registry" and link.ends[0] == context.placement:
            yield Opening("out", link.source, host, link.what, link.protocol, link.port, opened)


def _telemetry(context: Context) -> Iterator[Opening]:
    """Yield the connection to the remote metrics store if there are several targets."""
    where = context.target.telemetry.remote_write
    if where and context.monitored and len(context.system.deployment.targets) > 1:
        parts = urlsplit(where)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        source = f"{context.placement}:{Kind.CLUSTER}/{context.placement}"
        opened = "the token of telemetry" if context.target.telemetry.secret is not None else ""
        yield Opening("out", source, parts.hostname or where, "metrics", parts.scheme, port, opened)


def _before(links: tuple[Link, ...], context: Context) -> Iterator[Before]:
    """Yield the folders on other targets that must be applied first, since this target needs their resources."""
    for name in dict.fromkeys(link.ends[1] for link in _awaited(links, context, inward=False)):
        there, here = _creating_folder(context.system.target(name)), _creating_folder(context.target)
        folder = here if there == INFRASTRUCTURE else WORKLOADS
        yield Before(name, there, folder, infrastructure_setting(name) if there == INFRASTRUCTURE else "")


def _awaited(links: tuple[Link, ...], context: Context, *, inward: bool) -> Iterator[Link]:
    """Yield incoming or outgoing connections that require the other target to be applied first.

    Clusters that read each other's buckets can be applied in any order, since only runs may have to wait.
    """
    created_ends = {link.ends for link in links if _is_made(link, context)}
    for link in links:
        source, sink = link.ends
        mutual = (sink, source) in created_ends and _creating_folder(
            _target(context.placed[link.sink], context)
        ) == WORKLOADS
        ordered = _is_made(link, context) and not (mutual or _is_federated(link, context))
        if context.placement == (sink if inward else source) and ordered:
            yield link


def _is_federated(link: Link, context: Context) -> bool:
    """Return whether a connection only requires `crossings` to be applied first on the sink's target."""
    source, store = context.placed[link.source], context.system.stores.get(context.placed[link.sink].name)
    return store is not None and federates_from(store, _target(source, context), context.system)


def _is_made(link: Link, context: Context) -> bool:
    """Return whether the sink's target creates the bucket, or a user for the connecting workload."""
    source, sink = context.placed[link.source], context.placed[link.sink]
    store = context.system.stores.get(sink.name)
    if store is None or not store.adopt:
        return True
    return crosses_from(store, _target(source, context), context.system)


def _creating_folder(target: TargetSpec) -> str:
    """Return the folder that creates a target's stores."""
    return INFRASTRUCTURE if target.in_cloud else WORKLOADS


def _bundles(links: tuple[Link, ...], context: Context) -> str:
    """Describe how model bundles are transferred to or from this target, or return ""."""
    registry = context.system.deployment.placement.registry
    readers = tuple(
        dict.fromkeys(link.ends[0] for link in links if link.what == "artifacts" and context.plan.bundled(link.ends[0]))
    )
    if not readers:
        return ""
    if context.placement in readers:
        return (
            f"Models come from {registry} as bundles: each promotion writes a bundle, which is read over"
            " these connections and kept on disk, so that workloads here keep running when the link is down."
        )
    return (
        f"Models go to {', '.join(readers)} as bundles, which a promotion writes next to the artifacts of the registry."
    )


def _requests(context: Context) -> Iterator[str]:
    """Yield a paragraph for each monitor that requests runs from or on another target."""
    for resource in context.plan.of(MonitorJob):
        request = resource.value.request
        if request is not None and context.placement in {resource.placement, request.pipeline.target}:
            yield (
                f"When monitor {request.monitor.name} on {resource.placement} finds a breach, it requests a run of"
                f" pipeline {request.pipeline.name} on {request.pipeline.target}: it writes a request to"
                f" {request.asked} in store {request.store}. The starter on {request.pipeline.target} checks for"
                f" requests every {EVERY_MINUTES} minutes and writes its answers to {request.answered}."
            )


def _transferred_images(links: tuple[Link, ...], context: Context) -> Iterator[TransferredImage]:
    """Yield images for on-premises clusters that are connected to a cloud but can't pull from its registry."""
    ends = {end for link in links for end in link.ends}
    targets = [target for target in context.system.deployment.targets if target.name in ends]
    if any(target.in_cloud for target in targets):
        for target in targets:
            if not target.in_cloud:
                yield from _images(target, context)


def _images(target: TargetSpec, context: Context) -> Iterator[TransferredImage]:
    if needs_runtime_image(context.plan, target.name):
        yield TransferredImage(target.name, f"built from {target.name}/image", runtime_image(context.system, target))
    for image in dict.fromkeys(users_images(context.plan, target.name)):
        yield TransferredImage(target.name, image, mirrored(image, target))


def _target(resource: Resource, context: Context) -> TargetSpec:
    return context.system.target(resource.placement)
