"""The starter: a CronJob that looks for requests of other targets and starts the runs that they ask for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.manifest import labels, metadata, object_of, resources
from modelyard.plan import Resource, Starter
from modelyard.stack import Value
from modelyard_targets.cluster.context import Context, Made
from modelyard_targets.cluster.describe import describe_starter
from modelyard_targets.cluster.environment import (
    description,
    description_mount,
    description_volume,
    service_account,
    variables,
)
from modelyard_targets.cluster.fixed import EVERY_MINUTES
from modelyard_targets.cluster.pods import container, pod_spec, support_place
from modelyard_targets.cluster.sizes import STARTER, SUPPORT_DISK_BYTES

COMPONENT: Final = "starter"

_LONGEST_S = 600
_KEPT = 3


def lower_starter(resource: Resource, context: Context) -> Iterator[Made]:
    """Description and CronJob. It holds a token of the cluster's API, so it runs the runtime image alone."""
    assert isinstance(resource.value, Starter)
    yield description(resource, describe_starter(resource, context), COMPONENT, context)
    labelled = labels(context.system.metadata.name, resource.name, resource.workload, COMPONENT)
    start = container(
        "starter",
        context.runtime_image,
        resources(STARTER.cpu_millis, STARTER.memory_bytes),
        environment=variables(resource, context),
        mounts=[description_mount()],
        command=["python", "-m", "modelyard_runtime", "start"],
    )
    pod = pod_spec(
        [start],
        context,
        account=service_account(resource, context),
        token=True,
        place=support_place(context),
        scratch_bytes=SUPPORT_DISK_BYTES,
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
