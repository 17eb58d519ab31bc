"""Model servers: RayServices with Serve applications, and disruption budgets."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

from modelyard.manifest import env, labels, metadata, object_of
from modelyard.names import object_name
from modelyard.nodes import as_node
from modelyard.plan import Application, ModelServer, Resource
from modelyard.source import Json
from modelyard.spec import Inference, Scaling
from modelyard.stack import Manifest, Value
from modelyard.writers.yaml_text import document
from modelyard_targets.kube.data.disk import disk_mounts, disk_volumes, lower_disk
from modelyard_targets.kube.network.route import class_of
from modelyard_targets.kube.placement.context import Context, KubeObject
from modelyard_targets.kube.placement.fixed import SERVE_PORT
from modelyard_targets.kube.pods.priorities import priority_class_of
from modelyard_targets.kube.serving.serve_metrics import latency_buckets
from modelyard_targets.kube.workload.describe import application_name, describe_server
from modelyard_targets.kube.workload.describe_parts import digest, revision, serve_prefix
from modelyard_targets.kube.workload.describe_pipeline import group_resource, ray_cpus
from modelyard_targets.kube.workload.environment import (
    description,
    description_mount,
    description_volume,
    service_account,
    token_mount,
    token_volumes,
    variables,
)
from modelyard_targets.kube.workload.foreign import foreign_mounts, foreign_volumes
from modelyard_targets.kube.workload.ray_cluster import Group, RayCluster, cluster_spec

COMPONENT = "server"
IMPORT_PATH = "modelyard_runtime.serving.application:application"
DEPLOYMENT = "model"
_TOKEN_POLICY = "modelyard_runtime.serving.language.scaling:ByTokens"

_SPARE_S = 30
_QUEUED = 16  # the most requests that may wait; additional requests would end in a timeout
_RETRY_AFTER_S = 5


def lower_server(resource: Resource[ModelServer], context: Context) -> Iterator[KubeObject]:
    """Yield a server's description, edge disk, RayService and disruption budgets."""
    described = describe_server(resource, context)
    yield description(resource, described, COMPONENT, context)
    yield from lower_disk(resource, context)
    yield KubeObject(resource.origin, ray_service(resource, described, context))
    for group in groups_of(resource.value, context):
        if group.minimum > 1:
            yield KubeObject(resource.origin, _disruption_budget(resource, group, context))


def ray_service(resource: Resource[ModelServer], described: dict[str, Json], context: Context) -> Manifest:
    """Build a model server's RayService."""
    server = resource.value
    labelled = labels(context.system.metadata.name, resource.name, resource.workload, COMPONENT)
    groups = groups_of(server, context)
    spec: dict[str, Value] = {
        "serveConfigV2": document(_serve_config(server, described, context)),
        "upgradeStrategy": _upgrade(server.applications[0].inference, context),
        "rayClusterDeletionDelaySeconds": longest_request(server) + _SPARE_S,
        "excludeHeadPodFromServeSvc": all(group.minimum > 0 for group in groups),
        "rayClusterConfig": cluster_spec(_cluster(resource, server, groups, described, context), context),
    }
    return object_of("ray.io/v1", "RayService", metadata(resource.name, context.namespace, labelled), spec=spec)


def groups_of(server: ModelServer, context: Context) -> tuple[Group, ...]:
    """Return a server's worker groups, one per combination of hardware and image, with one Pod per replica."""
    members: dict[tuple[object, str], list[Application]] = {}
    for application in server.applications:
        members.setdefault((application.hardware, application.inference.source.image), []).append(application)
    names: set[str] = set()
    groups: list[Group] = []
    for (_, image), applications in members.items():
        first = applications[0]
        name = object_name(first.hardware.compute)
        if name in names:
            name = object_name(first.hardware.compute, first.inference.name)
        names.add(name)
        minimum = sum(member.variant.replicas.minimum for member in applications)
        maximum = sum(member.variant.replicas.maximum for member in applications)
        groups.append(Group(name, first.hardware, context.image(image), minimum, maximum))
    return tuple(groups)


def _cluster(
    resource: Resource,
    server: ModelServer,
    groups: tuple[Group, ...],
    described: dict[str, Json],
    context: Context,
) -> RayCluster:
    tokens = token_volumes(server, context)
    return RayCluster(
        name=resource.name,
        workload=resource.workload,
        component=COMPONENT,
        account=service_account(resource, context),
        image=groups[0].image,
        digest=digest(_of_pods(server, described)),
        groups=groups,
        environment=(*variables(resource, context), *latency_buckets(server), *_log_variables(server)),
        volumes=(description_volume(resource), *tokens, *foreign_volumes(resource.workload, context)),
        mounts=(
            description_mount(),
            *([token_mount()] if tokens else []),
            *foreign_mounts(resource.workload, context),
        ),
        scales=server.scales,
        serves=True,
        grace_s=longest_request(server) + _SPARE_S,
        worker_volumes=disk_volumes(resource, context),
        worker_mounts=disk_mounts(resource, context),
        priority_class=priority_class_of(resource, context),
    )


def _log_variables(server: ModelServer) -> list[Value]:
    """Send the output of replicas to the container log instead of files if any endpoint has an access log."""
    logged = any(application.inference.endpoint.access_log for application in server.applications)
    return [env("RAY_LOG_TO_STDERR", "1")] if logged else []


def _of_pods(server: ModelServer, described: dict[str, Json]) -> dict[str, Json]:
    """Return the parts of a server's description that require new Pods when they change.

    For an in-place rollout, these are only the parts that restarting an application doesn't pick up.
    """
    if server.applications[0].inference.rollout.strategy != "in-place":
        return {name: value for name, value in described.items() if name != "governance"}
    return {name: described[name] for name in ("registry", "stores") if name in described}


def longest_request(server: ModelServer) -> int:
    """Return the longest timeout, in seconds, of a server's endpoints."""
    return max(application.inference.endpoint.timeout_s for application in server.applications)


def _upgrade(inference: Inference, context: Context) -> dict[str, Value]:
    rollout = inference.rollout
    if rollout.strategy == "in-place":
        return {"type": "None"}
    if rollout.strategy == "blue-green":
        return {"type": "NewCluster"}
    gateway = context.target.gateway
    return {
        "type": "NewClusterWithIncrementalUpgrade",
        "clusterUpgradeOptions": {
            "gatewayClassName": class_of(gateway, inference.endpoint.exposure, context) if gateway else "",
            "stepSizePercent": rollout.step_percent,
            "intervalSeconds": rollout.interval_s,
            "maxSurgePercent": rollout.max_surge_percent,
        },
    }


def _serve_config(server: ModelServer, described: dict[str, Json], context: Context) -> dict[str, Value]:
    return {
        "proxy_location": "EveryNode",
        "http_options": {"host": "0.0.0.0", "port": SERVE_PORT, "request_timeout_s": longest_request(server)},
        "logging_config": {"encoding": "JSON", "enable_access_log": False},
        "applications": serve_applications(server, described, context),
    }


def serve_applications(server: ModelServer, described: dict[str, Json], context: Context) -> list[dict[str, Value]]:
    """Build the Serve applications, passing each one its name in the mounted description and a digest of its entry."""
    applications = described["applications"]
    assert isinstance(applications, dict)
    groups = {(group.hardware, group.image): group.name for group in groups_of(server, context)}
    entries: list[dict[str, Value]] = []
    for application in server.applications:
        name = application_name(application)
        group = groups[application.hardware, context.image(application.inference.source.image)]
        entries.append(
            {
                "name": name,
                "route_prefix": serve_prefix(application),
                "import_path": IMPORT_PATH,
                "args": {"application": name, "digest": revision(as_node(applications[name], name))},
                "deployments": [_deployment(application, group)],
            }
        )
    return entries


def _deployment(application: Application, group: str) -> dict[str, Value]:
    """Configure one replica per Pod, pinned to its group, leaving some CPU for tasks started by the replica."""
    inference, hardware = application.inference, application.hardware
    scaling, replicas = inference.scaling, application.variant.replicas
    options: dict[str, Value] = {"num_cpus": ray_cpus(hardware.cpu_millis) - 0.25}
    if hardware.accelerator is not None:
        options["num_gpus"] = hardware.accelerator.count
    options["resources"] = {group_resource(group): 1}
    together = inference.generation.concurrency if inference.generation is not None else inference.batching.max_size
    by_tokens = scaling.metric == "ongoing-tokens"
    ongoing = 2 * together if by_tokens else max(ceil(2 * scaling.target), 2 * together)
    return {
        "name": DEPLOYMENT,
        "max_ongoing_requests": ongoing,
        "max_queued_requests": scaling.max_queued or _QUEUED * ongoing,
        "backpressure_config": {"status_code": 503, "retry_after_s": _RETRY_AFTER_S},
        "autoscaling_config": {
            "min_replicas": replicas.minimum,
            "max_replicas": replicas.maximum,
            **({"policy": _by_tokens(scaling)} if by_tokens else {"target_ongoing_requests": scaling.target}),
            "upscale_delay_s": scaling.upscale_delay_s,
            "downscale_delay_s": scaling.downscale_delay_s,
        },
        "max_replicas_per_node": 1,
        "graceful_shutdown_timeout_s": inference.endpoint.timeout_s,
        "health_check_period_s": 10,
        "health_check_timeout_s": 30,
        "ray_actor_options": options,
    }


def _by_tokens(scaling: Scaling) -> dict[str, Value]:
    """Return the runtime's own autoscaling policy for Serve. The controller loads it from the head Pod's image."""
    return {"policy_function": _TOKEN_POLICY, "policy_kwargs": {"target": scaling.target}}


def _disruption_budget(resource: Resource, group: Group, context: Context) -> Manifest:
    """Build the disruption budget, which lets node drains evict one Pod of the group's minimum at a time.

    The number is absolute because percentages require a controller with a scale subresource, which Ray Pods don't have.
    The dot in the name avoids collisions between groups of different servers.
    """
    labelled = labels(context.system.metadata.name, resource.name, resource.workload, COMPONENT)
    selector = {
        "app.kubernetes.io/name": resource.name,
        "ray.io/node-type": "worker",
        "ray.io/group": group.name,
    }
    name = f"{resource.name}.{group.name}"
    return object_of(
        "policy/v1",
        "PodDisruptionBudget",
        metadata(name, context.namespace, labelled),
        spec={"minAvailable": group.minimum - 1, "selector": {"matchLabels": selector}},
    )
