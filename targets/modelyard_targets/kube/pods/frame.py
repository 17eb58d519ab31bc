"""Build restricted Pod specs, with the workload's identity, a read-only root and one writable folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from modelyard.manifest import POD_SECURITY, RESTRICTED, env, memory_text, resources, without_empty
from modelyard.plan import Hardware
from modelyard.records import record
from modelyard.spec import Taint
from modelyard.stack import Value
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.pods.sizes import SUPPORT_DISK_BYTES, Size

SCRATCH = "/tmp"
"""A container's only writable folder, which Ray also uses for its sessions."""


@record
class Place:
    """The machines that a Pod may run on."""

    selector: tuple[tuple[str, str], ...]
    tolerations: tuple[Taint, ...]
    fallback: tuple[tuple[str, str], ...] | None = None  # labels of fallback machines, if `selector` is only preferred
    near: tuple[tuple[str, str], ...] = ()  # labels of Pods that should be in the same zone, if possible


def place_of(hardware: Hardware) -> Place:
    """Return the machines for a compute class."""
    fallback = hardware.fallback.selector if hardware.fallback is not None else None
    return Place(hardware.selector, hardware.tolerations, fallback)


def support_place(context: Context) -> Place:
    """Return the machines for supporting Pods, such as heads, submitters and launchers."""
    return Place(context.support_selector, context.support_tolerations)


def support_resources(size: Size) -> dict[str, Value]:
    """Return a supporting Pod's requests, with a disk limit that keeps it from filling the machine's disk."""
    return resources(size.cpu_millis, size.memory_bytes, {"ephemeral-storage": memory_text(SUPPORT_DISK_BYTES)})


def placing(place: Place) -> dict[str, Value]:
    """Return a Pod's scheduling fields for the given machines, which are only preferred if there's a fallback."""
    selector, affinity = place.selector, {}
    if place.fallback is not None:
        selector = tuple(label for label in selector if label in place.fallback)
        affinity = _preference(
            [label for label in place.selector if label not in selector],
            [label for label in place.fallback if label not in selector],
        )
    return without_empty(
        {
            "nodeSelector": dict(selector),
            "affinity": without_empty({"nodeAffinity": affinity, "podAffinity": _nearness(place.near)}),
            "tolerations": tolerations(place.tolerations),
        }
    )


def _nearness(near: Sequence[tuple[str, str]]) -> dict[str, Value]:
    """Prefer the zone of Pods with the given labels. This is a no-op in a cluster without zones."""
    if not near:
        return {}
    term: dict[str, Value] = {
        "labelSelector": {"matchLabels": dict(near)},
        "topologyKey": "topology.kubernetes.io/zone",
    }
    return {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 100, "podAffinityTerm": term}]}


def _preference(first: Sequence[tuple[str, str]], second: Sequence[tuple[str, str]]) -> dict[str, Value]:
    """Prefer nodes with the `first` labels, but allow those with the `second` labels (any node if empty)."""
    if not first:
        return {}
    preferred: dict[str, Value] = {
        "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 100, "preference": _term(first)}]
    }
    terms: list[Value] = [_term(first), _term(second)]
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}} if second else {}
    return {**required, **preferred}


def _term(labels: Sequence[tuple[str, str]]) -> dict[str, Value]:
    return {"matchExpressions": [{"key": key, "operator": "In", "values": [value]} for key, value in labels]}


def tolerations(taints: Sequence[Taint]) -> list[Value]:
    """Return tolerations for exactly the given taints. A taint without a value matches any value."""
    return [
        {"key": taint.key, "operator": "Equal", "value": taint.value, "effect": taint.effect}
        if taint.value
        else {"key": taint.key, "operator": "Exists", "effect": taint.effect}
        for taint in taints
    ]


def container(
    name: str,
    image: str,
    resources: Mapping[str, Value],
    *,
    environment: Sequence[Value] = (),
    mounts: Sequence[Value] = (),
    **rest: Value,
) -> dict[str, Value]:
    """Build a restricted container whose home and only writable folder is the scratch volume."""
    return {
        "name": name,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        **rest,
        "env": [env("HOME", SCRATCH), *environment],
        "resources": dict(resources),
        "securityContext": {**RESTRICTED, "readOnlyRootFilesystem": True},
        "volumeMounts": [scratch_mount(), *mounts],
    }


def scratch_mount() -> dict[str, Value]:
    """Return the mount for the writable folder."""
    return {"name": "scratch", "mountPath": SCRATCH}


def pod_spec(
    containers: Sequence[Value],
    context: Context,
    *,
    account: str,
    token: bool,
    place: Place,
    volumes: Sequence[Value] = (),
    scratch_bytes: int | None = None,
    priority_class: str = "",
    **rest: Value,
) -> dict[str, Value]:
    """Build a Pod spec. `token` mounts the API token of its ServiceAccount."""
    pull = context.target.images.pull_secret
    return {
        "serviceAccountName": account,
        "automountServiceAccountToken": token,
        "enableServiceLinks": False,
        "securityContext": POD_SECURITY,
        **without_empty(
            {
                "imagePullSecrets": [{"name": pull}] if pull else [],
                "priorityClassName": priority_class,
            }
        ),
        **placing(place),
        **rest,
        "containers": list(containers),
        "volumes": [
            {"name": "scratch", "emptyDir": {"sizeLimit": memory_text(scratch_bytes)} if scratch_bytes else {}},
            *volumes,
        ],
    }
