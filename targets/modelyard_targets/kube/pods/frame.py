"""The frame of every Pod of ours: restricted, with an own identity, a read-only root and one writable folder."""

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
"""The one writable folder of a container; Ray keeps its sessions there."""


@record
class Place:
    """Which machines a Pod may run on."""

    selector: tuple[tuple[str, str], ...]
    tolerations: tuple[Taint, ...]
    fallback: tuple[tuple[str, str], ...] | None = None  # labels of others, where those are only preferred
    near: tuple[tuple[str, str], ...] = ()  # labels of Pods in whose zone it had better be


def place_of(hardware: Hardware) -> Place:
    """The machines of a compute class."""
    fallback = hardware.fallback.selector if hardware.fallback is not None else None
    return Place(hardware.selector, hardware.tolerations, fallback)


def support_place(context: Context) -> Place:
    """The machines for Pods that only keep others going: heads, submitters, launchers."""
    return Place(context.support_selector, context.support_tolerations)


def support_resources(size: Size) -> dict[str, Value]:
    """What such a Pod asks for, its disk as well: nothing that it does may fill that of its machine."""
    return resources(size.cpu_millis, size.memory_bytes, {"ephemeral-storage": memory_text(SUPPORT_DISK_BYTES)})


def placing(place: Place) -> dict[str, Value]:
    """The fields of a Pod that put it on machines: those of its labels, or rather those than the fallback's."""
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
    """The zone of Pods with these labels is preferred; where nodes have no zones, it changes nothing."""
    if not near:
        return {}
    term: dict[str, Value] = {
        "labelSelector": {"matchLabels": dict(near)},
        "topologyKey": "topology.kubernetes.io/zone",
    }
    return {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 100, "podAffinityTerm": term}]}


def _preference(first: Sequence[tuple[str, str]], second: Sequence[tuple[str, str]]) -> dict[str, Value]:
    """Nodes with the first labels are preferred; those with the second do, or any where there are no second."""
    if not first:
        return {}
    preferred: dict[str, Value] = {
        "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 100, "preference": _term(first)}]
    }
    terms: list[Value] = [_term(first), _term(second)]
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}} if second else {}
    return {**required, **preferred}


def _term(wanted: Sequence[tuple[str, str]]) -> dict[str, Value]:
    return {"matchExpressions": [{"key": key, "operator": "In", "values": [value]} for key, value in wanted]}


def tolerations(taints: Sequence[Taint]) -> list[Value]:
    """Tolerations of exactly these taints; one without a value is tolerated whatever its value is."""
    return [
        {"key": taint.key, "operator": "Equal", "value": taint.value, "effect": taint.effect}
        if taint.value
        else {"key": taint.key, "operator": "Exists", "effect": taint.effect}
        for taint in taints
    ]


def container(
    name: str,
    image: str,
    asked: Mapping[str, Value],
    *,
    environment: Sequence[Value] = (),
    mounts: Sequence[Value] = (),
    **rest: Value,
) -> dict[str, Value]:
    """A restricted container whose only writable folder is the scratch volume, which is its home as well."""
    return {
        "name": name,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        **rest,
        "env": [env("HOME", SCRATCH), *environment],
        "resources": dict(asked),
        "securityContext": {**RESTRICTED, "readOnlyRootFilesystem": True},
        "volumeMounts": [scratch_mount(), *mounts],
    }


def scratch_mount() -> dict[str, Value]:
    """The mount of the writable folder."""
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
    """The spec of a Pod. `token` says whether it may talk to the cluster's API as its ServiceAccount."""
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
