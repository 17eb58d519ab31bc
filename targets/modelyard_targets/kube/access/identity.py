"""Identities, i.e. a ServiceAccount per workload and a Role for those that call the Kubernetes API."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from modelyard.manifest import labels, metadata, object_of
from modelyard.plan import Identity, Resource
from modelyard.stack import Manifest, Value
from modelyard_targets.kube.pipelines.launcher import kept_apart, requested, started_after
from modelyard_targets.kube.placement.context import Context, KubeObject

COMPONENT = "identity"


def lower_identity(resource: Resource[Identity], context: Context) -> Iterator[KubeObject]:
    """Yield the ServiceAccount of an `Identity`, plus a Role and RoleBinding if the workload starts runs.

    The Role for a Ray autoscaler is created by KubeRay, which also chooses the Ray cluster's name.
    """
    identity = resource.value
    labelled = labels(context.system.metadata.name, resource.name, identity.workload, COMPONENT)
    acts_as = {context.platform.identity_annotation: placeholder(resource)} if _is_identified(resource, context) else {}
    described = metadata(resource.name, context.namespace, labelled, acts_as)
    account = object_of("v1", "ServiceAccount", described, automountServiceAccountToken=False)
    yield KubeObject(resource.origin, account)
    rules = _rules(identity, context)
    if rules:
        meta = metadata(resource.name, context.namespace, labelled)
        yield KubeObject(resource.origin, object_of("rbac.authorization.k8s.io/v1", "Role", meta, rules=rules))
        yield KubeObject(resource.origin, _binding(resource, meta, context))


def placeholder(resource: Resource[Identity]) -> str:
    """Return the placeholder for a workload's cloud identity in manifests.

    Only the Pulumi program knows the actual identity.
    """
    return f"{resource.name}.identity.invalid"


def _is_identified(resource: Resource[Identity], context: Context) -> bool:
    return context.platform.identity_output(resource, context) is not None


def _rules(identity: Identity, context: Context) -> list[Value]:
    if identity.api == "launcher":
        return _of_launcher(identity, context)
    if identity.api == "trigger":
        monitor = context.system.monitors[identity.workload.partition(".")[2]]
        return _starting([context.cron_jobs[monitor.on_breach.run]])
    if identity.api == "starter":
        return _starting(requested(context))
    return []


def _starting(cron_jobs: Sequence[str]) -> list[Value]:
    """Allow a workload to create Jobs from the given CronJobs and to look up existing Jobs."""
    return [
        {**_rule("batch", ["cronjobs"], ["get"]), "resourceNames": list(cron_jobs)},
        _rule("batch", ["jobs"], ["create", "get", "list"]),
    ]


def _of_launcher(identity: Identity, context: Context) -> list[Value]:
    """Allow a launcher to create and watch runs, and to start subsequent pipelines.

    If monitors or other pipelines can also start runs, the launcher may list Jobs and, for `replace`, delete runs.
    """
    pipeline = context.system.pipelines[identity.workload.partition(".")[2]]
    overlap, started = kept_apart(pipeline, context), started_after(pipeline, context)
    stop = ["delete"] if overlap == "replace" else []
    look: list[Value] = [_rule("batch", ["jobs"], ["get", "list"])] if overlap and not started else []
    return [
        _rule("ray.io", ["rayjobs"], ["create", *stop, "get"]),
        *look,
        *(_starting(started) if started else []),
    ]


def _rule(group: str, kinds: Sequence[str], verbs: Sequence[str]) -> dict[str, Value]:
    """Build an RBAC rule without object names, which applies to all objects of these types in the namespace."""
    return {"apiGroups": [group], "resources": list(kinds), "verbs": list(verbs)}


def _binding(resource: Resource, meta: dict[str, Value], context: Context) -> Manifest:
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": resource.name}
    subject = {"kind": "ServiceAccount", "name": resource.name, "namespace": context.namespace}
    return object_of("rbac.authorization.k8s.io/v1", "RoleBinding", meta, roleRef=role, subjects=[subject])
