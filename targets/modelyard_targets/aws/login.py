"""The login to an RDS database, which is created by a Job and whose password a CronJob rotates weekly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.manifest import env, labels, metadata, object_of
from modelyard.names import object_name, short_hash
from modelyard.plan import Resource
from modelyard.spec import Store
from modelyard.stack import Value
from modelyard.writers.json_text import json_text
from modelyard_targets.aws.names import database_identifier, login_secret
from modelyard_targets.aws.network_policies import reach_services
from modelyard_targets.aws.options import vpc_of
from modelyard_targets.kube.network.policies import network_policy, ports
from modelyard_targets.kube.placement.context import Context, KubeObject, database_name
from modelyard_targets.kube.placement.fixed import LOGIN_NAME
from modelyard_targets.kube.pods.frame import container, pod_spec, support_place, support_resources
from modelyard_targets.kube.pods.platform_sizes import STORE_JOB
from modelyard_targets.kube.pods.sizes import SUPPORT_DISK_BYTES

COMPONENT: Final = LOGIN_NAME

_LATE_S: Final = 24 * 3600
"""How many seconds late a weekly rotation may start, for example because the controller was down."""
_EVERY_WEEK: Final = "17 4 * * 0"
_RETRIES: Final = 5
_DEADLINE_S: Final = 600
_POSTGRESQL: Final = 5432


def lower_login(resource: Resource[Store], context: Context) -> Iterator[KubeObject]:
    """Yield the ServiceAccount, NetworkPolicy, Job and CronJob for a database, unless it is adopted.

    The Job's name contains a hash of its Pod spec, so the Job runs again if the spec changes.
    """
    store = resource.value
    if store.adopt:
        return
    name = login_name(store)
    labelled = labels(context.system.metadata.name, name, f"stores.{store.name}", COMPONENT)
    described = metadata(name, context.namespace, labelled)
    yield KubeObject(resource.origin, object_of("v1", "ServiceAccount", described, automountServiceAccountToken=False))
    selector: dict[str, Value] = {"app.kubernetes.io/name": name}
    yield network_policy(resource, name, selector, context, egress=_reached(context))
    pod = _pod(store, name, context)
    spec: dict[str, Value] = {
        "backoffLimit": _RETRIES,
        "activeDeadlineSeconds": _DEADLINE_S,
        "template": {"metadata": {"labels": labelled}, "spec": pod},
    }
    once = metadata(object_name(name, short_hash(json_text(pod))), context.namespace, labelled)
    yield KubeObject(resource.origin, object_of("batch/v1", "Job", once, spec=spec))
    weekly: dict[str, Value] = {
        "schedule": _EVERY_WEEK,
        "concurrencyPolicy": "Forbid",
        "startingDeadlineSeconds": _LATE_S,
        "jobTemplate": {"spec": spec},
    }
    yield KubeObject(resource.origin, object_of("batch/v1", "CronJob", described, spec=weekly))


def login_name(store: Store) -> str:
    """Return the name shared by the CronJob that rotates a database's password and its other objects."""
    return object_name(COMPONENT, store.called)


def _reached(context: Context) -> list[Value]:
    """Allow egress to the database, the RDS API, Secrets Manager and the Pod Identity agent."""
    database: Value = {"to": [{"ipBlock": {"cidr": vpc_of(context.target).cidr}}], "ports": ports(_POSTGRESQL)}
    return [database, *reach_services("rds", "secretsmanager")(context)]


def _pod(store: Store, name: str, context: Context) -> dict[str, Value]:
    command: list[Value] = ["python", "-m", "modelyard_runtime", "login"]
    environment: list[Value] = [
        env("MODELYARD_INSTANCE", database_identifier(context.system, context.placement, store)),
        env("MODELYARD_DATABASE", database_name(store)),
        env("MODELYARD_LOGIN_SECRET", login_secret(context.system, context.placement, store)),
        env("AWS_REGION", context.target.region),
    ]
    login_container = container(
        COMPONENT, context.runtime_image, support_resources(STORE_JOB), environment=environment, command=command
    )
    return pod_spec(
        [login_container],
        context,
        account=name,
        token=False,
        place=support_place(context),
        scratch_bytes=SUPPORT_DISK_BYTES,
        restartPolicy="Never",
    )
