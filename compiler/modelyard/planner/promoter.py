"""The promoter: the one workload that moves aliases, where the registry runs here."""

from __future__ import annotations

from modelyard.plan import Kind, Promoter
from modelyard.planner.draft import Draft, Wanted
from modelyard.source import Path

NAME = "promoter"


def plan_promoter(draft: Draft) -> None:
    """Its identity, which reads the models and writes the bundles that other targets read, and its job."""
    system, registry = draft.system, draft.system.registry
    trainings = tuple(one for one in system.pipelines.values() if one.type == "training" and one.model is not None)
    if draft.registry is None or registry is None or registry.adopt or not trainings:
        return
    origin: Path = ("registry",)
    models = dict.fromkeys(one.model.model for one in trainings if one.model is not None)
    wanted = Wanted(NAME)
    if draft.artifacts is not None:  # whole folders: those of many models have no room in the policy of a cloud
        store, prefix = draft.artifacts
        wanted.store(store, f"{prefix.rstrip('/')}/models/", "read", "artifacts")
        if any(draft.bundles.get(model) for model in models):
            wanted.store(store, f"{prefix.rstrip('/')}/bundles/", "write", "artifacts")
        draft.wants_credentials(wanted, store)
    placement = draft.registry.placement
    draft.identity(NAME, placement, origin, NAME, wanted, "")
    resource = draft.add(Kind.PROMOTER, NAME, placement, origin, Promoter(trainings), NAME)
    draft.connect(resource, wanted, registry=True)
    draft.metrics.append(resource)
