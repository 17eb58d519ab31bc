"""Plan how monitors start runs on other targets: a folder for requests, and a starter that handles them."""

from __future__ import annotations

from modelyard.diagnostics.target import run_elsewhere, way_to_a_store
from modelyard.plan import Kind, Link, RunRequest, Starter, cluster_service
from modelyard.planner.crossings import reaches
from modelyard.planner.draft import Draft, Needs
from modelyard.planner.pipelines import place_of
from modelyard.source import Path
from modelyard.spec import Monitor, Pipeline, Store

NAME = "starter"

_FOLDER = "run-requests"


def ask_elsewhere(draft: Draft, monitor: Monitor, name: str, needs: Needs) -> RunRequest | None:
    """Allow a monitor to request a pipeline run on another target. Returns None if it never does or can't."""
    system = draft.system
    pipeline = system.pipelines[monitor.on_breach.run] if monitor.on_breach.run else None
    if pipeline is None or pipeline.target == monitor.target:
        return None
    store = _shared_store(draft, monitor, pipeline)
    if store is None:
        span = system.at("monitors", monitor.name, "onBreach", "run")
        remedy = _remedy(draft, monitor, pipeline)
        draft.report([run_elsewhere(span, pipeline.name, monitor.target, pipeline.target, remedy)])
        return None
    folder, subfolder = _folder(draft, store, pipeline.target), f"{pipeline.name}/{monitor.name}/"
    request = RunRequest(monitor, name, pipeline, store, f"{folder}asked/{subfolder}", f"{folder}answered/{subfolder}")
    needs.store(store, request.asked, "append", "trigger")
    draft.wants_credentials(needs, store)
    draft.requests.append(request)
    return request


def plan_starters(draft: Draft) -> None:
    """Plan a starter on each target whose pipelines are requested from other targets.

    It consists of an identity that reads the requests and a job that responds to them.
    """
    for placement in dict.fromkeys(request.pipeline.target for request in draft.requests):
        requests = tuple(candidate for candidate in draft.requests if candidate.pipeline.target == placement)
        origin: Path = ("monitors", requests[0].monitor.name, "onBreach", "run")
        needs = Needs(NAME)
        for request in requests:
            needs.store(request.store, _folder(draft, request.store, placement), "write", "trigger")
            draft.wants_credentials(needs, request.store)
        draft.identity(NAME, placement, origin, NAME, needs, "starter")
        resource = draft.add(Kind.STARTER, NAME, placement, origin, Starter(requests), NAME)
        draft.connect(resource, needs, registry=False)
        for pipeline in {request.pipeline.name: request.pipeline for request in requests}.values():
            draft.links.append(Link(resource.place, place_of(draft, pipeline), "trigger", "https", 443))


def _shared_store(draft: Draft, monitor: Monitor, pipeline: Pipeline) -> str | None:
    """Return the first store that both targets can access."""
    for store in _stores(draft):
        if all(reaches(draft.system, placement, store) for placement in (monitor.target, pipeline.target)):
            return store.name
    return None


def _remedy(draft: Draft, monitor: Monitor, pipeline: Pipeline) -> str:
    """Suggest how the target that cannot access the first store can get access."""
    store = next(iter(_stores(draft)), None)
    if store is None:
        return way_to_a_store("", "", "", service=False)
    ends = (monitor.target, pipeline.target)
    away = next(placement for placement in ends if not reaches(draft.system, placement, store))
    service = cluster_service(store.endpoint) is not None
    return way_to_a_store(store.name, store.target, away, service=service)


def _stores(draft: Draft) -> tuple[Store, ...]:
    """Return the object stores, starting with the artifact store, which also contains bundles."""
    artifact_store = draft.artifacts[0] if draft.artifacts is not None else ""
    objects = [store for store in draft.system.stores.values() if store.type == "object"]
    return tuple(sorted(objects, key=lambda store: store.name != artifact_store))


def _folder(draft: Draft, store: str, placement: str) -> str:
    """Return the folder for requests to a target. It is unique per system and environment within a bucket."""
    system, artifacts = draft.system, draft.artifacts
    base = f"{artifacts[1].rstrip('/')}/" if artifacts is not None and artifacts[0] == store else ""
    return f"{base.lstrip('/')}{_FOLDER}/{system.metadata.name}/{system.environment or 'default'}/{placement}/"
