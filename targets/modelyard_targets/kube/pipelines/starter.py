"""The starter, a CronJob that polls for run requests from other targets and starts the requested runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.plan import Resource, Starter
from modelyard_targets.kube.placement.context import Context, KubeObject
from modelyard_targets.kube.pods.sizes import STARTER, SUPPORT_DISK_BYTES
from modelyard_targets.kube.workload.describe import describe_starter
from modelyard_targets.kube.workload.environment import description
from modelyard_targets.kube.workload.polling import polling_cron_job

COMPONENT: Final = "starter"

_LONGEST_S = 600


def lower_starter(resource: Resource[Starter], context: Context) -> Iterator[KubeObject]:
    """Yield the starter's description and CronJob, which uses the runtime image because it has an API token."""
    yield description(resource, describe_starter(resource, context), COMPONENT, context)
    yield polling_cron_job(
        resource,
        context,
        COMPONENT,
        "start",
        STARTER,
        token=True,
        longest_s=_LONGEST_S,
        scratch_bytes=SUPPORT_DISK_BYTES,
    )
