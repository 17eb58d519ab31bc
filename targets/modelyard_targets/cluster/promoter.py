"""The promoter: a CronJob that moves aliases to versions whose gate held and that are approved."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.manifest import labels, metadata, object_of, resources
from modelyard.plan import Promoter, Resource
from modelyard.stack import Value
from modelyard_targets.cluster.context import Context, Made
from modelyard_targets.cluster.describe import describe_promoter
from modelyard_targets.cluster.environment import (
    description,
    description_mount,
    description_volume,
    service_account,
    variables,
)
from modelyard_targets.cluster.fixed import EVERY_MINUTES, PROMOTER_COMPONENT
from modelyard_targets.cluster.pods import container, pod_spec, support_place
from modelyard_targets.cluster.sizes import PROMOTER, PROMOTER_DISK_BYTES

COMPONENT: Final = PROMOTER_COMPONENT

_LONGEST_S = 3600
_KEPT = 3


def lower_promoter(resource: Resource, context: Context) -> Iterator[Made]:
    """Description and CronJob; one run at a time, so that each begins where the one before ended."""
    assert isinstance(resource.value, Promoter)
    yield description(resource, describe_promoter(resource, context), COMPONENT, context)
    labelled = labels(context.system.metadata.name, resource.name, resource.workload, COMPONENT)
    promote = container(
        "promoter",
        context.runtime_image,
        resources(PROMOTER.cpu_millis, PROMOTER.memory_bytes),
        environment=variables(resource, context),
        mounts=[description_mount()],
        command=["python", "-m", "modelyard_runtime", "promote"],
    )
    pod = pod_spec(
        [promote],
        context,
        account=service_account(resource, context),
        token=False,
        place=support_place(context),
        scratch_bytes=PROMOTER_DISK_BYTES,
        volumes=[description_volume(resource)],
        restartPolicy="Never",
    )
    job: dict[str, Value] = {
        "activeDeadlineSeconds": _LONGEST_S,
        "backoffLimit": 0,
        "template": {"metadata": {"labels": labelled}, "spec": pod},
    }
    spec: dict[str, Value] = {
        "schedule": f"*/{EVERY_MINUTES} * * * *",
        "concurrencyPolicy": "Forbid",
        "startingDeadlineSeconds": 60 * EVERY_MINUTES,
        "successfulJobsHistoryLimit": 1,
        "failedJobsHistoryLimit": _KEPT,
        "jobTemplate": {"spec": job},
    }
    meta = metadata(resource.name, context.namespace, labelled)
    yield Made(resource.origin, object_of("batch/v1", "CronJob", meta, spec=spec))
