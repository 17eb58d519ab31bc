"""Collect what an object's Pods reference, i.e. ServiceAccounts, images, Secrets, claims, labels, priorities."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, cast

from modelyard.records import record
from modelyard.source import Json

_TEMPLATES: Final = ("template", "submitterPodTemplate")
_SECRETS: Final = ("secretKeyRef", "secretRef", "secret")
_REFERRING: Final = frozenset((
    *_TEMPLATES, *_SECRETS, "serviceAccountName", "image", "imagePullSecrets", "persistentVolumeClaim",
    "headGroupSpec", "workerGroupSpecs",
))  # fmt: skip
_SCALARS: Final[frozenset[type[object]]] = frozenset({str, bool, int, float, type(None)})


@record
class PodReferences:
    """The sorted names that Pods refer to. `labels` maps each label to all its values."""

    accounts: tuple[str, ...]
    images: tuple[str, ...]
    secrets: tuple[str, ...]
    claims: tuple[str, ...]
    labels: tuple[tuple[str, tuple[str, ...]], ...]
    priority_classes: tuple[str, ...]  # includes "" if a Pod has no priority class


def references_in(manifest: object) -> PodReferences:
    """Collect the references of all Pods in an object, at any depth."""
    accounts: set[str] = set()
    images: set[str] = set()
    secrets: set[str] = set()
    claims: set[str] = set()
    classes: set[str] = set()
    entries = tuple(_entries(manifest))
    for key, value in entries:
        if key == "serviceAccountName" and isinstance(value, str):
            accounts.add(value)
        elif key in _TEMPLATES and isinstance(value, Mapping):
            pod = cast("Mapping[str, Mapping[str, object]]", value).get("spec", {})
            classes.add(str(pod.get("priorityClassName", "")))
        elif key == "image" and isinstance(value, str):
            images.add(value)
        elif key == "imagePullSecrets" and isinstance(value, Sequence):
            secrets |= {
                str(entry["name"]) for entry in cast("Sequence[Mapping[str, object]]", value) if "name" in entry
            }
        elif key in _SECRETS and isinstance(value, Mapping):
            reference = cast("Mapping[str, object]", value)
            name = reference.get("name", reference.get("secretName"))
            if isinstance(name, str):
                secrets.add(name)
        elif key == "persistentVolumeClaim" and isinstance(value, Mapping):
            claims.add(str(cast("Mapping[str, object]", value)["claimName"]))
    return PodReferences(
        accounts=tuple(sorted(accounts)),
        images=tuple(sorted(images)),
        secrets=tuple(sorted(secrets)),
        claims=tuple(sorted(claims)),
        labels=_labels_in(entries),
        priority_classes=tuple(sorted(classes)),
    )


def _labels_in(entries: Iterable[tuple[str, object]]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Collect label values from Pod templates and from Ray groups, whose labels KubeRay copies to Pods."""
    values: dict[str, set[str]] = {}
    for key, value in entries:
        labelled: Sequence[Mapping[str, Json]] = ()
        if key in _TEMPLATES:
            labelled = (cast("Mapping[str, Mapping[str, Json]]", value).get("metadata", {}),)
        elif key == "headGroupSpec":
            labelled = (cast("Mapping[str, Json]", value),)
        elif key == "workerGroupSpecs":
            labelled = cast("Sequence[Mapping[str, Json]]", value)
        for each in labelled:
            for label, text in cast("Mapping[str, str]", each.get("labels") or {}).items():
                values.setdefault(label, set()).add(text)
    return tuple((label, tuple(sorted(texts))) for label, texts in sorted(values.items()))


def _entries(value: object) -> Iterator[tuple[str, object]]:
    """Yield the entries that may contain references from all nested mappings, in no particular order."""
    waiting = [value]
    while waiting:
        here = waiting.pop()
        if isinstance(here, (dict, Mapping)):  # dict first: an abstract class is slow to check
            for key, entry in cast("Mapping[str, object]", here).items():
                if key in _REFERRING:
                    yield key, entry
                if entry.__class__ not in _SCALARS:
                    waiting.append(entry)
        else:
            waiting += (entry for entry in cast("Sequence[object]", here) if entry.__class__ not in _SCALARS)
