"""Admission policies that limit what Pods with an API token may create and change.

RBAC restricts object kinds and verbs, but not the contents of a RayJob or Job. Without these policies, a launcher's
token could run any image with any ServiceAccount and any Secret in the namespace
(docs/decisions/0034-cluster-tokens.md).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, cast

from modelyard.manifest import labels, object_of
from modelyard.plan import Job, Resource, Starter, of_type
from modelyard.spec import Pipeline
from modelyard.stack import Manifest, Value
from modelyard_targets.kube.access.pod_references import PodReferences, references_in
from modelyard_targets.kube.pipelines.job import template_of
from modelyard_targets.kube.pipelines.launcher import requested, started_after
from modelyard_targets.kube.placement.context import Context, KubeObject

COMPONENT: Final = "admission"
TEMPLATE_KEY: Final = "rayjob.json"
OLDEST_KUBERNETES: Final = "1.30"
"""The first Kubernetes version with ValidatingAdmissionPolicy in admissionregistration.k8s.io/v1
(https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy, read 2026-11-25).
"""

_API: Final = "admissionregistration.k8s.io/v1"
_VOLUMES: Final = ("configMap", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret")

_GROUPS_OF_RUN: Final = (
    "([object.spec.rayClusterSpec.headGroupSpec] + object.spec.rayClusterSpec.?workerGroupSpecs.orValue([]))"
)
_TEMPLATES_OF_JOB: Final = "[object.spec.template]"
_TEMPLATES_OF_RUN: Final = (
    f"{_GROUPS_OF_RUN}.map(group, group.template)"
    " + (has(object.spec.submitterPodTemplate) ? [object.spec.submitterPodTemplate] : [])"
)
_PODS: Final = "variables.templates.map(template, template.spec)"
_LABELS: Final = "variables.templates.map(template, template.?metadata.?labels.orValue({}))"
_LABELS_OF_GROUPS: Final = f" + {_GROUPS_OF_RUN}.map(group, group.?labels.orValue({{}}))"
_OF_JOBS: Final = (
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/job-name",
    "controller-uid",
    "job-name",
)
"""Labels that the API server adds to a Job's Pods before it evaluates admission policies."""

_CONTAINERS: Final = "variables.pods.map(pod, pod.containers + pod.?initContainers.orValue([]))"
_AUTOSCALER: Final = (
    " + (has(object.spec.rayClusterSpec.autoscalerOptions) ? [[object.spec.rayClusterSpec.autoscalerOptions]] : [])"
)
_CREATED: Final = ("CREATE", "UPDATE")


def policies_of_runs(
    resources: Iterable[Resource], objects: Sequence[KubeObject], context: Context
) -> Iterator[KubeObject]:
    """Yield admission policies for each pipeline with a launcher.

    They restrict everything that can start the pipeline: its own launcher, the preceding pipeline's launcher, monitors,
    and the starter. `objects` are the objects as applied, i.e. after overrides. Runs may only reference images, Secrets
    and accounts found in these objects. A shared cluster gets no policies, because they are cluster-scoped.
    """
    if context.target.tenancy == "shared":
        return
    by_name = {_place(obj.manifest): obj.manifest for obj in objects}
    for starter in of_type(resources, Starter):
        yield from _only_of(starter, starter.name, requested(context), starter.origin, context)
    for resource in of_type(resources, Job):
        if not context.launched(resource.value.pipeline):
            continue
        launcher, starters = context.identity(resource.workload, launcher=True), _starters(resource.value, context)
        assert launcher is not None
        data = cast("Mapping[str, str]", by_name["ConfigMap", template_of(resource, context)]["data"])
        run = cast("Manifest", json.loads(data[TEMPLATE_KEY]))
        yield from _policy(resource, "runs", ("ray.io", "rayjobs"), (launcher.name,), run, context)
        if starters:
            cron_job = by_name["CronJob", resource.name]
            yield from _policy(resource, "starts", ("batch", "jobs"), starters, cron_job, context)
        started = started_after(resource.value.pipeline, context)
        yield from _only_of(resource, launcher.name, started, (*resource.origin, "schedule"), context)
        yield from _of_followed(resource, resource.value.pipeline, by_name, context)
        yield from _of_requested(resource, by_name, context)


def policy_of_autoscalers(origin: tuple[str | int, ...], context: Context) -> Iterator[KubeObject]:
    """Yield the policy that limits a Ray autoscaler's token to changing worker group sizes in its own cluster."""
    if context.target.tenancy == "shared":
        return
    account = f"system:serviceaccount:{context.namespace}:"
    in_namespace = f"request.userInfo.username.startsWith({_text(account)})"
    sizes = '["replicas", "scaleStrategy"]'
    rules: list[Value] = [
        _rule(
            f"request.userInfo.username == {_text(account)} + variables.pod.?serviceAccountName.orValue('default')",
            "a ServiceAccount of the system may change its own Ray cluster and Pods only",
        ),
        _rule(
            "request.resource.resource != 'pods' || (object.spec == oldObject.spec &&"
            " object.metadata.?labels == oldObject.metadata.?labels)",
            "a ServiceAccount of the system may change neither the spec nor the labels of a Pod of Ray",
        ),
        _rule(
            "request.resource.resource != 'rayclusters' || (object.spec.size() == oldObject.spec.size() &&"
            " object.spec.all(key, key == 'workerGroupSpecs' ||"
            " (key in oldObject.spec && object.spec[key] == oldObject.spec[key])) &&"
            " object.spec.?workerGroupSpecs.orValue([]).all(group,"
            " oldObject.spec.?workerGroupSpecs.orValue([]).exists(old, old.groupName == group.groupName &&"
            f" group.all(key, key in {sizes} || (key in old && group[key] == old[key])) &&"
            f" old.all(key, key in {sizes} || key in group))))",
            "a ServiceAccount of the system may change the sizes of a Ray cluster and nothing else",
        ),
    ]
    pod = "request.resource.resource == 'pods' ? oldObject.spec : oldObject.spec.headGroupSpec.template.spec"
    spec: dict[str, Value] = {
        "failurePolicy": "Fail",
        "matchConstraints": {
            "resourceRules": [
                _resources("ray.io", "rayclusters", ("UPDATE",)),
                _resources("", "pods", ("UPDATE",)),
            ]
        },
        "matchConditions": [
            {"name": "own-tokens", "expression": in_namespace},
            {
                "name": "of-ray",
                "expression": "request.resource.resource != 'pods' ||"
                " 'ray.io/cluster' in oldObject.metadata.?labels.orValue({})",
            },
        ],
        "variables": [{"name": "pod", "expression": pod}],
        "validations": rules,
    }
    yield from _bound(origin, f"{context.namespace}.autoscalers", context.namespace, spec, context)


def _only_of(
    resource: Resource, caller: str, started: tuple[str, ...], origin: tuple[str | int, ...], context: Context
) -> Iterator[KubeObject]:
    """Limit an identity that starts several pipelines to creating Jobs from those pipelines' CronJobs.

    Each of these pipelines also has its own policy.
    """
    if not started:
        return
    message = f"what {resource.name} starts belongs to one of the CronJobs {_list(started)}"
    spec: dict[str, Value] = {
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": [_resources("batch", "jobs", _CREATED)]},
        "matchConditions": [_callers((caller,), context)],
        "validations": [_rule(_owned_by(started), message)],
    }
    yield from _bound(origin, f"{context.namespace}.{resource.name}.next", resource.name, spec, context)


def _of_followed(
    resource: Resource, pipeline: Pipeline, by_name: Mapping[tuple[str, str], Manifest], context: Context
) -> Iterator[KubeObject]:
    """Restrict the Jobs that the preceding pipeline's launcher may create for this pipeline.

    The policy only matches Jobs owned by this pipeline's CronJob. Otherwise, it would reject the Jobs of other
    pipelines that the launcher may start.
    """
    followed = context.identity(f"pipelines.{pipeline.schedule.after}", launcher=True)
    if followed is not None:
        only: Value = {"name": "follower", "expression": _owned_by((resource.name,))}
        cron_job = by_name["CronJob", resource.name]
        yield from _policy(resource, "follows", ("batch", "jobs"), (followed.name,), cron_job, context, only)


def _of_requested(
    resource: Resource, by_name: Mapping[tuple[str, str], Manifest], context: Context
) -> Iterator[KubeObject]:
    """Restrict the Jobs that the starter may create for a pipeline requested by monitors on other targets."""
    if resource.name in requested(context):
        (starter,) = context.plan.of(Starter, context.placement)
        only: Value = {"name": "requested", "expression": _owned_by((resource.name,))}
        cron_job = by_name["CronJob", resource.name]
        yield from _policy(resource, "requests", ("batch", "jobs"), (starter.name,), cron_job, context, only)


def _owned_by(cron_jobs: tuple[str, ...]) -> str:
    return (
        "object.metadata.?ownerReferences.orValue([]).exists(owner,"
        f" owner.kind == 'CronJob' && owner.name in {json.dumps(cron_jobs)})"
    )


def _callers(names: tuple[str, ...], context: Context) -> Value:
    accounts = [f"system:serviceaccount:{context.namespace}:{name}" for name in names]
    return {"name": "caller", "expression": f"request.userInfo.username in {json.dumps(accounts)}"}


def _starters(job: Job, context: Context) -> tuple[str, ...]:
    """Return the ServiceAccounts of monitors that start the given pipeline."""
    started = context.starters.get(job.pipeline.name, ())
    identities = [context.identity(f"monitors.{name}") for name in started]
    return tuple(identity.name for identity in identities if identity is not None)


def _policy(
    resource: Resource,
    suffix: str,
    kind: tuple[str, str],
    callers: tuple[str, ...],
    emitted: Manifest,
    context: Context,
    *conditions: Value,
) -> Iterator[KubeObject]:
    """Restrict the given ServiceAccounts to creating objects whose references, e.g. images, occur in `emitted`."""
    of_ray = kind[0] == "ray.io"
    containers = _CONTAINERS + (_AUTOSCALER if of_ray else "")
    spec: dict[str, Value] = {
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": [_resources(*kind, _CREATED)]},
        "matchConditions": [_callers(callers, context), *conditions],
        "variables": [
            {"name": "templates", "expression": _TEMPLATES_OF_RUN if of_ray else _TEMPLATES_OF_JOB},
            {"name": "labels", "expression": _LABELS + (_LABELS_OF_GROUPS if of_ray else "")},
            {"name": "pods", "expression": _PODS},
            {"name": "containers", "expression": containers},
        ],
        "validations": [*_bounds(references_in(emitted), resource.name), *(_BOUNDS_OF_RAY if of_ray else ())],
    }
    origin = (*resource.origin, "schedule")
    yield from _bound(origin, f"{context.namespace}.{resource.name}.{suffix}", resource.name, spec, context)


def _bounds(named: PodReferences, pipeline: str) -> list[Value]:
    """Return the CEL validations of `variables.labels`, `variables.pods` and `variables.containers`."""
    accounts, images, secrets, claims, classes = (
        json.dumps(names)
        for names in (named.accounts, named.images, named.secrets, named.claims, named.priority_classes)
    )
    values = json.dumps(dict(named.labels))
    each = "variables.containers.all(containers, containers.all(container, {}))"
    env = (
        "container.?env.orValue([]).all(entry, !has(entry.valueFrom) || !has(entry.valueFrom.secretKeyRef) ||"
        f" entry.valueFrom.secretKeyRef.name in {secrets}) &&"
        f" container.?envFrom.orValue([]).all(entry, !has(entry.secretRef) || entry.secretRef.name in {secrets})"
    )
    volumes = (
        "variables.pods.all(pod, pod.?volumes.orValue([]).all(volume,"
        f" (!has(volume.secret) || volume.secret.secretName in {secrets}) &&"
        " (!has(volume.projected) || volume.projected.?sources.orValue([]).all(source,"
        f" !has(source.secret) || source.secret.name in {secrets}))) &&"
        f" pod.?imagePullSecrets.orValue([]).all(entry, entry.name in {secrets}))"
    )
    kinds = " || ".join(f"has(volume.{kind})" for kind in _VOLUMES)
    claimed = (
        "variables.pods.all(pod, pod.?volumes.orValue([]).all(volume,"
        f" !has(volume.persistentVolumeClaim) || volume.persistentVolumeClaim.claimName in {claims}))"
    )
    labelled = (
        "variables.labels.all(found, found.all(label,"
        f" label in {json.dumps(_OF_JOBS)} || (label in {values} && found[label] in {values}[label])))"
    )
    hosts = " && ".join(f"!pod.?{field}.orValue(false)" for field in ("hostNetwork", "hostPID", "hostIPC"))
    return [
        _rule(
            f"variables.pods.all(pod, pod.?serviceAccountName.orValue('default') in {accounts})",
            f"{pipeline} may run as the ServiceAccounts {_list(named.accounts)} only",
        ),
        _rule(
            f"variables.pods.all(pod, pod.?priorityClassName.orValue('') in {classes})",
            f"Pods of {pipeline} may have the PriorityClass that it was compiled with only",
        ),
        _rule(
            each.format(f"!has(container.image) || container.image in {images}"),
            f"{pipeline} may run the images that it was compiled with only",
        ),
        _rule(each.format(env), f"{pipeline} may read the Secrets {_list(named.secrets)} only"),
        _rule(volumes, f"{pipeline} may mount the Secrets {_list(named.secrets)} only"),
        _rule(claimed, f"{pipeline} may mount the volume claims {_list(named.claims)} only"),
        _rule(labelled, f"Pods of {pipeline} may carry the labels that it was compiled with only"),
        _rule(
            f"variables.pods.all(pod, pod.?volumes.orValue([]).all(volume, {kinds}))",
            f"{pipeline} may have volumes of these kinds only: {_list(_VOLUMES)}",
        ),
        _rule(
            f"variables.pods.all(pod, {hosts}) && "
            + each.format("!container.?securityContext.?privileged.orValue(false)"),
            f"{pipeline} may not be privileged, nor share network or processes of its node",
        ),
    ]


def _rule(expression: str, message: str) -> Value:
    return {"expression": expression, "message": message}


_BOUNDS_OF_RAY: Final[Sequence[Value]] = (
    _rule(
        "!has(object.spec.clusterSelector) && !has(object.spec.rayClusterSpec.gcsFaultToleranceOptions) &&"
        " !object.spec.rayClusterSpec.?authOptions.?secretName.hasValue()",
        "a run has a Ray cluster of its own, whose token KubeRay makes",
    ),
)


def _resources(group: str, resource: str, operations: tuple[str, ...]) -> Value:
    return {"apiGroups": [group], "apiVersions": ["*"], "operations": list(operations), "resources": [resource]}


def _bound(
    origin: tuple[str | int, ...], name: str, of: str, spec: dict[str, Value], context: Context
) -> Iterator[KubeObject]:
    """Yield an admission policy and its binding to the system's namespace."""
    meta: dict[str, Value] = {"name": name, "labels": labels(context.system.metadata.name, of, component=COMPONENT)}
    here: dict[str, Value] = {"matchLabels": {"kubernetes.io/metadata.name": context.namespace}}
    binding: dict[str, Value] = {
        "policyName": name,
        "validationActions": ["Deny"],
        "matchResources": {"namespaceSelector": here},
    }
    yield KubeObject(origin, object_of(_API, "ValidatingAdmissionPolicy", meta, spec=spec))
    yield KubeObject(origin, object_of(_API, "ValidatingAdmissionPolicyBinding", meta, spec=binding))


def _place(manifest: Manifest) -> tuple[str, str]:
    meta = manifest["metadata"]
    assert isinstance(meta, Mapping)
    return str(manifest["kind"]), str(meta["name"])


def _list(names: Sequence[str]) -> str:
    return ", ".join(names) if names else "(none)"


def _text(text: str) -> str:
    return json.dumps(text)
