"""Overrides: a JSON Patch (RFC 6902) on an emitted object, after everything else has made it what it is."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias, cast

from modelyard.diagnostics.base import Diagnostic
from modelyard.diagnostics.platform import override_fails, override_of_nothing, override_renames
from modelyard.json_text import json_text
from modelyard.source import Json
from modelyard.spec import Override, System
from modelyard.stack import Manifest
from modelyard_targets.cluster.context import Made

REASON = "overrides.modelyard.dev/{}"
"""Annotation with the reason of an override on the object that it changed, by its name."""

Overrides: TypeAlias = Mapping[tuple[str, str], tuple[Override, ...]]


class PatchFailed(ValueError):
    """A patch that cannot be applied; the message says why, in the words of its operation."""


def overrides_on(system: System, placement: str) -> Overrides:
    """The overrides of a placement by the kind and name of their object."""
    found: dict[tuple[str, str], tuple[Override, ...]] = {}
    for override in system.overrides:
        if override.target == placement:
            place = (override.kind, override.object)
            found[place] = (*found.get(place, ()), override)
    return found


def overridden(made: Made, overrides: Overrides) -> Made:
    """The object with its patches applied, and with the reason of each written on it."""
    found = overrides.get(_place(made.manifest), ()) if overrides else ()
    manifest = made.manifest
    for override in found:
        manifest = _with_reason(patched(manifest, override), override)
    return Made(made.origin, manifest) if found else made


def patched(manifest: Manifest, override: Override) -> Manifest:
    """The object after one patch. Raises PatchFailed where an operation finds nothing to do it to."""
    import jsonpatch  # hardly a spec has overrides

    plain = json.loads(json_text(manifest))
    try:
        result = jsonpatch.apply_patch(plain, json.loads(json_text(list(override.patch))))
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException) as problem:
        raise PatchFailed(_in_a_line(problem)) from None
    if not isinstance(result, dict):
        raise PatchFailed("the patch leaves no object")
    return cast("Manifest", result)


def check_overrides(system: System, placement: str, objects: Iterable[Made]) -> Iterator[Diagnostic]:
    """Overrides of what is not there, that cannot be applied, or that make another object of theirs."""
    waiting = dict(overrides_on(system, placement))
    if not waiting:
        return
    names: list[str] = []
    for made in objects:
        place = _place(made.manifest)
        names.append("/".join(place))
        yield from _check(made.manifest, waiting.pop(place, ()), system)
    for overrides in waiting.values():
        for override in overrides:
            where = system.at("overrides", override.name, "object")
            yield override_of_nothing(where, f"{override.kind}/{override.object}", placement, names)


def _check(manifest: Manifest, overrides: tuple[Override, ...], system: System) -> Iterator[Diagnostic]:
    before = _identity(manifest)
    for override in overrides:
        where = system.at("overrides", override.name, "patch")
        try:
            manifest = patched(manifest, override)
        except PatchFailed as problem:
            yield override_fails(where, override.name, str(problem))
            return
        if _identity(manifest) != before:
            yield override_renames(where, override.name)
            return


def _identity(manifest: Manifest) -> tuple[str, ...]:
    """What makes an object that one: version, kind, namespace and name."""
    metadata = manifest.get("metadata")
    named = metadata if isinstance(metadata, Mapping) else {}
    return tuple(
        str(one)
        for one in (manifest.get("apiVersion"), manifest.get("kind"), named.get("namespace"), named.get("name"))
    )


def _place(manifest: Manifest) -> tuple[str, str]:
    _, kind, _, name = _identity(manifest)
    return kind, name


def _with_reason(manifest: Manifest, override: Override) -> Manifest:
    metadata = cast("dict[str, Json]", manifest["metadata"])
    annotations = metadata.get("annotations")
    said = {**(annotations if isinstance(annotations, dict) else {}), REASON.format(override.name): override.reason}
    return {**manifest, "metadata": {**metadata, "annotations": said}}


def _in_a_line(problem: Exception) -> str:
    return " ".join(str(problem).split())
