"""Reads Kubernetes objects as plain documents, and replaces strings that are only known at run time."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import TypeVar, cast

import pulumi

from .base import Json

FIELD_MANAGER = "pulumi.com/patchFieldManager"
"""The annotation with the name of an object's field manager, which Pulumi reads."""

_PLACEHOLDER = re.compile(r"\$\{site(?:\.(?P<name>[-A-Za-z0-9_]+)| digest (?P<names>[-A-Za-z0-9_ ]+))\}")
_WORD = re.compile(r"[A-Za-z0-9._:/-]+")
_DIGITS = 10
_Filled = TypeVar("_Filled")

_FORCE = "pulumi.com/patchForce"
_WRITTEN_BACK = "ray.io/"
"""The API group of KubeRay, whose operator writes back the whole spec of its objects (seen with 1.6.2) and so takes
over all their fields. Manifests in this group force ownership; otherwise changes to a server would fail with conflicts.
"""

_RUN_TEMPLATE = "rayjob.json"
"""The ConfigMap key of the template from which a launcher creates a RayJob."""


def with_images(document: dict[str, Json], images: Mapping[str, pulumi.Input[str]]) -> dict[str, Json]:
    """Replace the given hosts in every `image` field of an object, including RayJob templates in ConfigMaps."""
    return cast("dict[str, Json]", _replaced("", document, images)) if images else document


def with_annotations(document: dict[str, Json], annotations: Mapping[str, pulumi.Input[str]]) -> dict[str, Json]:
    """Replace the given strings where they are the entire value of one of the object's annotations."""
    current = annotations_of(document)
    late = {key: annotations[str(value)] for key, value in current.items() if str(value) in annotations}
    if not late:
        return document
    metadata = {**metadata_of(document), "annotations": {**current, **late}}
    return cast("dict[str, Json]", {**document, "metadata": metadata})


def with_values(value: _Filled, values: Mapping[str, str]) -> _Filled:
    """Replace placeholders for site values, such as `${site.gateway}`, in all strings."""
    return cast("_Filled", _with_values(value, values)) if values else value


def with_field_manager(manager: str) -> pulumi.ResourceTransform:
    """Return a transform that sets the given field manager on a chart's objects."""

    def transform(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
        metadata = args.props.get("metadata")
        if not args.custom or not isinstance(metadata, dict):
            return None
        plain = cast("dict[str, Json]", metadata)
        annotations = {**annotations_of({"metadata": plain}), FIELD_MANAGER: manager}
        props = {**args.props, "metadata": {**plain, "annotations": annotations}}
        return pulumi.ResourceTransformResult(props=props, opts=args.opts)

    return transform


def is_word(text: str) -> bool:
    """Return whether a site value has no character with a special meaning in YAML, JSON, PromQL or a shell."""
    return _WORD.fullmatch(text) is not None


def type_token(document: Mapping[str, Json]) -> str:
    """Return Pulumi's type token, such as `kubernetes:apps/v1:Deployment`. The unnamed API group is `core`."""
    version = str(document["apiVersion"])
    return f"kubernetes:{version if '/' in version else f'core/{version}'}:{document['kind']}"


def resource_name(document: Mapping[str, Json]) -> str:
    """Return `namespace/name`, or just the name for cluster-scoped objects. Doesn't depend on the object's file."""
    metadata = metadata_of(document)
    namespace = metadata.get("namespace")
    return f"{namespace}/{metadata['name']}" if namespace else str(metadata["name"])


def is_in_place(document: Mapping[str, Json]) -> bool:
    """Return whether this is a RayService that KubeRay updates without a second Ray cluster."""
    spec = document.get("spec")
    strategy = spec.get("upgradeStrategy") if document.get("kind") == "RayService" and isinstance(spec, dict) else None
    return isinstance(strategy, dict) and strategy.get("type") == "None"


def managed(document: Mapping[str, Json], manager: str) -> dict[str, Json]:
    """Give the object a field manager that is the same in every run of the project.

    By default, a manager's name is generated when an object is created. If an `up` is killed before it saves the state,
    the name is lost, and the next change would conflict with a manager that no longer exists.
    """
    metadata = metadata_of(document)
    annotations: dict[str, Json] = {**annotations_of(document), FIELD_MANAGER: manager}
    if str(document.get("apiVersion")).startswith(_WRITTEN_BACK):
        annotations[_FORCE] = "true"
    return {**document, "metadata": {**metadata, "annotations": annotations}}


def metadata_of(document: Mapping[str, Json]) -> Mapping[str, Json]:
    """Return an object's metadata, or an empty mapping."""
    metadata = document.get("metadata")
    return metadata if isinstance(metadata, dict) else {}


def annotations_of(document: Mapping[str, Json]) -> Mapping[str, Json]:
    """Return an object's annotations, or an empty mapping."""
    annotations = metadata_of(document).get("annotations")
    return annotations if isinstance(annotations, dict) else {}


def _replaced(key: str, value: Json, images: Mapping[str, pulumi.Input[str]]) -> object:
    if isinstance(value, dict):
        return {name: _replaced(name, entry, images) for name, entry in value.items()}
    if isinstance(value, list):
        return [_replaced("", entry, images) for entry in value]
    if key == _RUN_TEMPLATE and isinstance(value, str):
        replaced = _replaced("", cast("Json", json.loads(value)), images)
        return pulumi.Output.from_input(replaced).apply(lambda document: json.dumps(document, indent=2))
    if key == "expression" and isinstance(value, str):
        return _with_images_in_expression(value, images)
    host, slash, path = value.partition("/") if key == "image" and isinstance(value, str) else ("", "", "")
    return pulumi.Output.concat(images[host], slash, path) if host in images and slash else value


def _with_images_in_expression(expression: str, images: Mapping[str, pulumi.Input[str]]) -> pulumi.Input[str]:
    """Replace registries in an admission policy's CEL expression.

    Image names are in double quotes, and are the only strings with a slash after the first word.
    """
    replaced: pulumi.Input[str] = expression
    for host, registry in images.items():
        first, *pieces = expression.split(f'"{host}/')
        replaced = pulumi.Output.concat(first, *(part for rest in pieces for part in ('"', registry, "/", rest)))
    return replaced


def _with_values(value: object, values: Mapping[str, str]) -> object:
    if isinstance(value, str):
        return _PLACEHOLDER.sub(lambda match: _value(match, values), value) if "${site" in value else value
    if isinstance(value, dict):
        entries = cast("dict[str, object]", value)
        return {str(_with_values(key, values)): _with_values(child, values) for key, child in entries.items()}
    if isinstance(value, list):
        return [_with_values(child, values) for child in cast("list[object]", value)]
    return value


def _value(match: re.Match[str], values: Mapping[str, str]) -> str:
    names = [match["name"]] if match["name"] else match["names"].split()
    missing = next((name for name in names if name not in values), None)
    if missing is not None:
        raise pulumi.RunError(f"the stack's setting `site` has no value {missing}")
    if match["name"]:
        return values[match["name"]]
    hashed = hashlib.sha256(json.dumps([values[name] for name in names]).encode())
    return hashed.hexdigest()[:_DIGITS]
