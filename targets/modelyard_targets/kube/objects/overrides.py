"""Apply overrides, which are JSON Patches (RFC 6902), to emitted objects as the last step."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias, cast

from modelyard.diagnostics.base import Diagnostic
from modelyard.diagnostics.overrides import override_fails, override_of_nothing, override_refused, override_renames
from modelyard.source import Json
from modelyard.spec import Override, System
from modelyard.stack import Manifest
from modelyard.writers.json_text import json_text
from modelyard_targets.kube.objects.documents import broken_documents
from modelyard_targets.kube.objects.object_fields import problems
from modelyard_targets.kube.placement.context import KubeObject

REASON = "overrides.modelyard.dev/{}"
"""The annotation on a changed object with the override's reason."""

Overrides: TypeAlias = Mapping[tuple[str, str], tuple[Override, ...]]


class PatchFailed(ValueError):
    """Raised if a patch operation fails. `at` is the operation's position in the patch."""

    def __init__(self, at: int) -> None:
        super().__init__(f"operation {at}")
        self.at = at


def overrides_on(system: System, placement: str) -> Overrides:
    """Return a placement's overrides by object kind and name."""
    by_object: dict[tuple[str, str], tuple[Override, ...]] = {}
    for override in system.overrides:
        if override.target == placement:
            place = (override.kind, override.object)
            by_object[place] = (*by_object.get(place, ()), override)
    return by_object


def overridden(kube_object: KubeObject, overrides: Overrides) -> KubeObject:
    """Return the patched object, with the overrides' reasons as annotations."""
    matches = overrides.get(_place(kube_object.manifest), ()) if overrides else ()
    manifest = kube_object.manifest
    for override in matches:
        manifest = _with_reason(patched(manifest, override), override)
    return KubeObject(kube_object.origin, manifest) if matches else kube_object


def patched(manifest: Manifest, override: Override) -> Manifest:
    """Return the object with one patch applied.

    Raises PatchFailed at the first operation that fails.
    """
    import jsonpatch  # imported here because few specs have overrides

    plain: Json = json.loads(json_text(manifest))
    for at, operation in enumerate(override.patch):
        try:
            plain = jsonpatch.apply_patch(plain, [json.loads(json_text(operation))])
        except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException, TypeError):
            raise PatchFailed(at) from None
    if not isinstance(plain, dict):
        raise PatchFailed(len(override.patch) - 1)
    return plain


def check_overrides(system: System, placement: str, objects: Iterable[KubeObject]) -> Iterator[Diagnostic]:
    """Report overrides that name an unknown object, fail, change an object's identity, or make it invalid."""
    waiting = dict(overrides_on(system, placement))
    if not waiting:
        return
    names: list[str] = []
    for obj in objects:
        place = _place(obj.manifest)
        names.append("/".join(place))
        yield from _check(obj.manifest, waiting.pop(place, ()), system)
    for overrides in waiting.values():
        for override in overrides:
            where = system.at("overrides", override.name, "object")
            yield override_of_nothing(where, f"{override.kind}/{override.object}", placement, names)


def _check(manifest: Manifest, overrides: tuple[Override, ...], system: System) -> Iterator[Diagnostic]:
    before = _identity(manifest)
    for override in overrides:
        where = ("overrides", override.name, "patch")
        known, previous = problems(manifest), manifest
        try:
            manifest = patched(manifest, override)
        except PatchFailed as failed:
            operation = override.patch[failed.at]
            span = system.at(*where, failed.at)
            yield override_fails(span, override.name, str(operation["op"]), str(operation["path"]))
            return
        if _identity(manifest) != before:
            yield override_renames(system.at(*where), override.name)
            return
        refused = next((problem for problem in problems(manifest) if problem not in known), "")
        if refused:
            yield override_refused(system.at(*where), override.name, "Kubernetes", refused)
            return
        broken = next(broken_documents(previous, manifest), "")
        if broken:
            yield override_refused(system.at(*where), override.name, "the workload that mounts it", broken)
            return


def _identity(manifest: Manifest) -> tuple[str, str, str, str]:
    """Return an object's identity: its API version, kind, namespace and name."""
    raw_metadata = manifest.get("metadata")
    metadata: Manifest = raw_metadata if isinstance(raw_metadata, Mapping) else {}
    version, kind = str(manifest.get("apiVersion")), str(manifest.get("kind"))
    return version, kind, str(metadata.get("namespace")), str(metadata.get("name"))


def _place(manifest: Manifest) -> tuple[str, str]:
    _, kind, _, name = _identity(manifest)
    return kind, name


def _with_reason(manifest: Manifest, override: Override) -> Manifest:
    metadata = cast("dict[str, Json]", manifest["metadata"])
    annotations = metadata.get("annotations")
    extended = {**(annotations if isinstance(annotations, dict) else {}), REASON.format(override.name): override.reason}
    return {**manifest, "metadata": {**metadata, "annotations": extended}}
