"""Plan endpoints: servers for variants or pools, the route to them, the alerts and a dashboard."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from modelyard.names import object_name
from modelyard.plan import (
    AlertRules,
    Application,
    Backend,
    Hardware,
    Kind,
    Link,
    ModelServer,
    Resource,
    Route,
    bucket_expires,
    bundled_on,
)
from modelyard.planner.draft import Draft, Needs
from modelyard.source import Path
from modelyard.spec import Capture, Inference, Variant, target_path

_CHAMPION: Final = "champion"


def plan_pools(draft: Draft) -> None:
    """Plan each pool's server, which all members share, before the routes."""
    pools: dict[tuple[str, str], list[Inference]] = {}
    for inference in draft.system.inference.values():
        if inference.pool:
            pools.setdefault((inference.target, inference.pool), []).append(inference)
    for (placement, pool), members in pools.items():
        applications = [_application(draft, member, variant) for member in members for variant in member.variants]
        name, workload = pool_name(pool), f"pool.{pool}"
        needs = Needs(workload)
        for member in members:
            _collect_needs(draft, member, needs)
        origin: Path = ("inference", members[0].name, "pool")
        draft.identity(name, placement, origin, workload, needs, "autoscaler" if _scales(members) else "")
        _server(draft, name, placement, origin, workload, applications, needs, pool)


def plan_inference(draft: Draft, inference: Inference) -> None:
    """Plan an endpoint's route and, unless it is a member of a pool, its servers."""
    workload, origin = f"inference.{inference.name}", ("inference", inference.name)
    name, placement = draft.called("inference", inference.name), inference.target
    if not inference.pool:
        needs = Needs(workload)
        _collect_needs(draft, inference, needs)
        draft.identity(name, placement, origin, workload, needs, "autoscaler" if _scales([inference]) else "")
        for variant in inference.variants:
            variant_path = (*origin, "variants", variant.name)
            applications = [_application(draft, inference, variant)]
            _server(
                draft, server_name(draft, inference, variant), placement, variant_path, workload, applications, needs
            )
    _route(draft, inference, name, workload)
    if inference.slo is not None:
        draft.add(Kind.ALERT_RULES, name, placement, (*origin, "slo"), AlertRules(inference=inference), workload)
    draft.add(Kind.DASHBOARD, name, placement, origin, inference, workload)


def server_name(draft: Draft, inference: Inference, variant: Variant) -> str:
    """Return a variant's server name: the pool's, the endpoint's if it has one variant, or a combined name."""
    if inference.pool:
        return pool_name(inference.pool)
    name = draft.called("inference", inference.name)
    return object_name(name) if len(inference.variants) == 1 else object_name(name, variant.name)


def pool_name(pool: str) -> str:
    """Return the name of a pool's shared server."""
    return object_name("pool", pool)


def _application(draft: Draft, inference: Inference, variant: Variant) -> Application | None:
    hardware = draft.hardware(variant.compute, inference.target)
    if hardware is None:
        return None
    prefix = f"/{draft.called('inference', inference.name)}" if inference.pool else "/"
    stand_in = _stand_in(draft, inference, variant, hardware)
    return Application(inference, variant, draft.system.models[variant.model.model], hardware, prefix, stand_in)


def _stand_in(draft: Draft, inference: Inference, variant: Variant, hardware: Hardware) -> Variant | None:
    """Return the variant whose version a variant serves while it has none of its own, or None if it serves nothing.

    This is the champion, if the other variant's machines are sufficient for it. Shares of the traffic do not matter, so
    that changing them replaces no server. Language models are also loaded while their predecessor is in use, for which
    only variants with an alias have room.
    """
    champions = [other for other in inference.variants if other.model.alias == _CHAMPION]
    if len(champions) != 1 or champions[0] is variant:
        return None
    main = champions[0]
    models = draft.system.models
    if models[main.model.model].task != models[variant.model.model].task:
        return None
    if inference.generation is not None and (hardware.accelerator is not None or variant.model.alias.isdecimal()):
        return None
    needed = draft.hardware(main.compute, inference.target)
    return main if needed is not None and _suffices(hardware, needed) else None


def _suffices(hardware: Hardware, needed: Hardware) -> bool:
    """Return whether a model that runs on the needed hardware also runs on the other."""
    accelerated = needed.accelerator is None or needed.accelerator == hardware.accelerator
    return accelerated and hardware.cpu_millis >= needed.cpu_millis and hardware.memory_bytes >= needed.memory_bytes


def _server(
    draft: Draft,
    name: str,
    placement: str,
    origin: Path,
    workload: str,
    applications: Iterable[Application | None],
    needs: Needs,
    pool: str = "",
) -> None:
    value = ModelServer(tuple(application for application in applications if application is not None), pool)
    server = draft.add(Kind.MODEL_SERVER, name, placement, origin, value, workload)
    draft.connect(server, needs, registry=not bundled_on(draft.system, placement))
    draft.metrics.append(server)


def _route(draft: Draft, inference: Inference, name: str, workload: str) -> None:
    backends = {
        variant.name: Backend(server_name(draft, inference, variant), variant.name, variant.percent)
        for variant in inference.variants
    }
    mirror = None
    if inference.mirror is not None:
        mirrored = backends[inference.mirror.variant]
        mirror = Backend(mirrored.server, mirrored.variant, inference.mirror.percent)
    origin: Path = ("inference", inference.name, "traffic" if len(backends) > 1 else "endpoint")
    route = Route(inference, tuple(backends.values()), mirror)
    resource = draft.add(Kind.ENDPOINT, name, inference.target, origin, route, workload)
    for server in dict.fromkeys(backend.server for backend in backends.values()):
        draft.links.append(_request(resource, server))


def _request(route: Resource, server: str) -> Link:
    return Link(route.place, f"{route.placement}:{Kind.MODEL_SERVER}/{server}", "requests", "http", 8000)


def _collect_needs(draft: Draft, inference: Inference, needs: Needs) -> None:
    """Collect what an endpoint needs: models, the capture folder, the heads' Redis password, and callers' tokens."""
    bases = (draft.system.models[ref.model].base for ref in inference.models)
    draft.wants_models(needs, inference.target, (*inference.models, *(base for base in bases if base is not None)))
    if inference.capture is not None:
        needs.store(inference.capture.store, inference.capture.path, _capture_mode(draft, inference.capture), "capture")
        draft.wants_credentials(needs, inference.capture.store)
    state = draft.targets[inference.target].head_state
    if state is not None:
        needs.secret(state.password, *target_path(draft.system, inference.target), "headState", "password")
    for caller in inference.endpoint.auth.callers:
        needs.secret(caller.token, "inference", inference.name, "endpoint", "auth", *caller.field)


def _capture_mode(draft: Draft, capture: Capture) -> str:
    """Return the access mode for captures: append, unless the server itself must delete old ones (`retain`)."""
    expires_them = capture.retain_s is not None and not bucket_expires(draft.system, capture)
    return "write" if expires_them else "append"


def _scales(members: Iterable[Inference]) -> bool:
    """Return whether a server is scaled or replaced gradually, which requires the same permissions."""
    return any(
        member.rollout.strategy == "incremental"
        or any(variant.replicas.minimum < variant.replicas.maximum for variant in member.variants)
        for member in members
    )
