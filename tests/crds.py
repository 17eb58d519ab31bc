"""Checks Kubernetes objects against their API schemas, like a server with strict validation.

Schemas for custom resources come from the CustomResourceDefinitions in `testbed.kubernetes.crds`, which are also
installed in a bare API server. Schemas for Kubernetes' own kinds come from the package kubernetes-validate.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any, cast

import jsonschema_rs
import yaml

from testbed.kubernetes import crds

KUBERNETES = "1.36"

_OPEN = "x-kubernetes-preserve-unknown-fields"


def problems(manifest: object) -> list[str]:
    """Return the API server's errors for an object."""
    return list(_problems(json.dumps(manifest)))


@cache
def _problems(text: str) -> tuple[str, ...]:
    """Return the errors for an object given as JSON text, cached because specs share most objects."""
    plain = json.loads(text)
    group = str(plain["apiVersion"]).rpartition("/")[0]
    if "." in group and not group.endswith(".k8s.io"):
        return tuple(_custom_problems(plain))
    if group == "gateway.networking.k8s.io":
        return tuple(_custom_problems(plain))
    return tuple(_core_problems(plain))


def _custom_problems(plain: dict[str, Any]) -> list[str]:
    validator = _validators().get((plain["apiVersion"], plain["kind"]))
    if validator is None:
        return [f"no CustomResourceDefinition for {plain['apiVersion']} {plain['kind']}"]
    return [
        f"{'.'.join(str(step) for step in error.instance_path)}: {error.message[:300]}"
        for error in validator.iter_errors(plain)
    ]


def _core_problems(plain: dict[str, Any]) -> list[str]:
    import kubernetes_validate  # type: ignore[import-untyped]  # it ships no types

    try:
        kubernetes_validate.validate(plain, KUBERNETES, strict=True)
    except kubernetes_validate.ValidationError as error:
        return [f"{'.'.join(str(step) for step in error.path)}: {error.message}"]
    return []


@cache
def _validators() -> dict[tuple[str, str], jsonschema_rs.Validator]:
    validators: dict[tuple[str, str], jsonschema_rs.Validator] = {}
    for group, kind, version, schema in definitions():
        validators[f"{group}/{version}", kind] = jsonschema_rs.validator_for(_closed(schema, top=True))
    return validators


def definitions() -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    for path in crds.files():
        for definition in yaml.load_all(path.read_text(encoding="utf-8"), Loader=_loader()):
            spec = definition["spec"]
            for version in spec["versions"]:
                if version["served"]:
                    yield spec["group"], spec["names"]["kind"], version["name"], version["schema"]["openAPIV3Schema"]


def _loader() -> type[yaml.SafeLoader]:
    return cast("type[yaml.SafeLoader]", getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def _closed(schema: dict[str, Any], *, top: bool = False) -> dict[str, Any]:
    """Convert a CRD's structural schema to a JSON Schema that refuses unknown fields, like strict validation."""
    result = {key: value for key, value in schema.items() if not key.startswith("x-kubernetes-")}
    result.pop("format", None)
    if schema.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    if "properties" in schema:
        properties = {name: _closed(entry) for name, entry in schema["properties"].items()}
        if top:
            properties["metadata"] = {"type": "object"}
        result["properties"] = properties
        if not schema.get(_OPEN) and "additionalProperties" not in schema:
            result["additionalProperties"] = False
    if isinstance(schema.get("additionalProperties"), dict):
        result["additionalProperties"] = _closed(schema["additionalProperties"])
    if isinstance(schema.get("items"), dict):
        result["items"] = _closed(schema["items"])
    if schema.get("nullable"):
        result["type"] = [schema["type"], "null"]
    return result
