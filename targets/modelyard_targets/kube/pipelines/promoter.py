"""The promoter, a CronJob that moves aliases to approved model versions that have passed their gate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.plan import Promoter, Resource
from modelyard_targets.kube.placement.context import Context, KubeObject
from modelyard_targets.kube.placement.fixed import PROMOTER_COMPONENT
from modelyard_targets.kube.pods.sizes import PROMOTER, PROMOTER_DISK_BYTES
from modelyard_targets.kube.workload.describe import describe_promoter
from modelyard_targets.kube.workload.environment import description
from modelyard_targets.kube.workload.polling import polling_cron_job

COMPONENT: Final = PROMOTER_COMPONENT

_LONGEST_S = 3600


def lower_promoter(resource: Resource[Promoter], context: Context) -> Iterator[KubeObject]:
    """Yield the promoter's description and CronJob."""
    yield description(resource, describe_promoter(resource, context), COMPONENT, context)
    yield polling_cron_job(
        resource,
        context,
        COMPONENT,
        "promote",
        PROMOTER,
        token=False,
        longest_s=_LONGEST_S,
        scratch_bytes=PROMOTER_DISK_BYTES,
    )
