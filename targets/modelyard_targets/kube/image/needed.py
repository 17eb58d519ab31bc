"""Decide whether a placement needs the runtime image, without importing the modules that describe its contents."""

from __future__ import annotations

from typing import Final

from modelyard.plan import (
    ByType,
    Job,
    ModelServer,
    MonitorJob,
    Plan,
    Promoter,
    RegistryServer,
    Resource,
    Starter,
    is_adopted,
)
from modelyard.spec import Store, System
from modelyard_targets.kube.placement.context import RAY_VERSION

BASE: Final = f"docker.io/rayproject/ray:{RAY_VERSION}-py311"
"""The image that the runtime image is built on."""


def needs_runtime_image(plan: Plan, placement: str) -> bool:
    """Return whether any container of a placement uses the image.

    It is used by workloads without their own image, launchers, autoscalers, monitors, and Jobs that create a bucket or
    the login for a cloud database.
    """
    return any(_runs_in_it(resource, plan.system) for resource in plan.on(placement))


def _never(resource: Resource, system: System) -> bool:
    return False


def _always(resource: Resource, system: System) -> bool:
    return True


def _unless_all_own(resource: Resource[ModelServer], system: System) -> bool:
    server = resource.value
    return server.scales or any(not application.inference.source.image for application in server.applications)


def _unless_adopted(resource: Resource[RegistryServer], system: System) -> bool:
    return not is_adopted(resource)


def _made_by_a_job(resource: Resource[Store], system: System) -> bool:
    in_cloud = system.target(resource.placement).in_cloud
    return not is_adopted(resource) and (resource.value.type == "object" or in_cloud)


_runs_in_it: Final = (
    ByType(_never)
    .case(ModelServer, _unless_all_own)
    .case(RegistryServer, _unless_adopted)
    .case(Store, _made_by_a_job)
    .case(Job, _always)
    .case(MonitorJob, _always)
    .case(Promoter, _always)
    .case(Starter, _always)
)
