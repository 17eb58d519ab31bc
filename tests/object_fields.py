"""Writes the fields of all emitted kinds of Kubernetes objects: `python -m tests.object_fields`.

Schemas for Kubernetes' own kinds come from the package kubernetes-validate, all others from CustomResourceDefinitions.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast

import kubernetes_validate  # type: ignore[import-untyped]  # it ships no types
import yaml

from modelyard_targets.kube.objects.object_fields import TABLE
from tests.crds import KUBERNETES, definitions

_ALSO_REQUIRED: dict[str, tuple[str, ...]] = {
    "core.v1.Container": ("image",),
    "batch.v1.CronJob": ("spec",),
    "batch.v1.Job": ("spec",),
    "apps.v1.Deployment": ("spec",),
    "apps.v1.StatefulSet": ("spec",),
    "core.v1.PodTemplateSpec": ("spec",),
    "core.v1.PersistentVolumeClaim": ("spec",),
    "batch.v1.JobTemplateSpec": ("spec",),
    "ray.io/v1 RayService": ("spec",),
    "ray.io/v1 RayJob": ("spec",),
}
"""Fields that the API server or an operator requires although the kind's schema does not."""

_WITHIN_JSON = frozenset({("ray.io/v1", "RayJob")})
"""Kinds of objects that are emitted only inside a ConfigMap."""

GOLDEN = Path(__file__).parent / "golden"
_SCHEMAS = Path(str(kubernetes_validate.__file__)).parent / f"kubernetes-json-schema/v{KUBERNETES}.0-local-strict"
_POD = "io.k8s.api.core.v1.PodTemplateSpec"
_SCALARS = {"string": "text", "integer": "integer", "number": "number", "boolean": "flag"}


def kinds() -> set[tuple[str, str]]:
    """Return the API version and kind of every object in the golden folders."""
    loader = cast("type[yaml.SafeLoader]", getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    places: set[tuple[str, str]] = set()
    for path in GOLDEN.glob("*/*/workloads/manifests/*.yaml"):
        manifests = cast("Iterator[dict[str, str] | None]", yaml.load_all(path.read_text(encoding="utf-8"), loader))
        places |= {(manifest["apiVersion"], manifest["kind"]) for manifest in manifests if manifest}
    return places | _WITHIN_JSON


class Fields:
    """Converts schemas to types and collects the named types."""

    def __init__(self) -> None:
        self.types: dict[str, Any] = {}
        self._core: dict[str, Any] = json.loads((_SCHEMAS / "_definitions.json").read_text(encoding="utf-8"))["$defs"]

    def reference(self, name: str) -> str:
        """Return a reference to one of Kubernetes' own types, given the type's name in the API."""
        short = name.removeprefix("io.k8s.").removeprefix("api.").removeprefix("apimachinery.pkg.")
        if short not in self.types:
            self.types[short] = {}
            self.types[short] = _with_required(self.of(self._core[name]), _ALSO_REQUIRED.get(short, ()))
        return f"@{short}"

    def kind(self, version: str, kind: str) -> str | None:
        """Return the type for a kind of Kubernetes object."""
        for name, schema in self._core.items():
            known = schema.get("x-kubernetes-group-version-kind", ())
            if any(
                f"{entry['group']}/{entry['version']}".lstrip("/") == version and entry["kind"] == kind
                for entry in known
            ):
                return self.reference(name)
        return None

    def of(self, schema: dict[str, Any]) -> Any:
        """Convert a schema to a type: a single word, a list or mapping of another type, or a set of fields."""
        if "$ref" in schema:
            name = str(schema["$ref"]).rpartition("/")[2]
            if name.endswith(("Quantity", "IntOrString")):
                return "scalar"
            return self.reference(name)
        if schema.get("x-kubernetes-int-or-string"):
            return "scalar"
        properties = schema.get("properties")
        if properties:
            if "containers" in properties.get("spec", {}).get("properties", {}):
                return self.reference(_POD)
            if schema.get("x-kubernetes-preserve-unknown-fields"):
                return "any"
            fields = {name: self.of(inner) for name, inner in sorted(properties.items())}
            return _with_required({"fields": fields}, schema.get("required") or ())
        declared = schema.get("type")
        names = cast("list[str]", declared if isinstance(declared, list) else [declared])
        kind = next((name for name in names if name != "null"), "")
        if kind == "array":
            return {"list": self.of(schema.get("items", {}))}
        more = schema.get("additionalProperties")
        if kind == "object" and isinstance(more, dict) and more:
            return {"map": self.of(cast("dict[str, Any]", more))}
        return _SCALARS.get(kind, "any")


def table() -> dict[str, Any]:
    """Return the named types, and the type for each kind of object."""
    fields = Fields()
    custom = {(f"{group}/{version}", kind): schema for group, kind, version, schema in definitions()}
    objects: dict[str, Any] = {}
    for version, kind in sorted(kinds()):
        place = f"{version} {kind}"
        known = fields.kind(version, kind)
        if known is not None:
            objects[place] = known
        elif (version, kind) in custom:
            objects[place] = _with_required(_custom(fields, custom[version, kind]), _ALSO_REQUIRED.get(place, ()))
    return {
        "source": f"Kubernetes {KUBERNETES} and the CustomResourceDefinitions of tests/crds.py, 2026-11-25",
        "objects": objects,
        "types": dict(sorted(fields.types.items())),
    }


def _custom(fields: Fields, schema: dict[str, Any]) -> Any:
    metadata = fields.reference("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta")
    properties = {name: inner for name, inner in schema["properties"].items() if name != "status"}
    known = {name: metadata if name == "metadata" else fields.of(inner) for name, inner in sorted(properties.items())}
    return _with_required({"fields": known}, schema.get("required") or ())


def _with_required(kind: Any, names: Iterable[str]) -> Any:
    """Return the fields of a type together with the names of its required fields."""
    if not names:
        return kind
    return {**kind, "required": sorted({*kind.get("required", ()), *names})}


def written() -> Iterator[str]:
    """Yield the table as lines of text, one for each object kind and each named type."""
    content = table()
    yield f'{{\n  "source": {json.dumps(content["source"])},\n'
    for section in ("objects", "types"):
        lines = [
            f"    {json.dumps(name)}: {json.dumps(fields, separators=(',', ':'))}"
            for name, fields in content[section].items()
        ]
        yield f'  "{section}": {{\n' + ",\n".join(lines) + ("\n  },\n" if section == "objects" else "\n  }\n")
    yield "}\n"


if __name__ == "__main__":
    TABLE.write_text("".join(written()), encoding="utf-8")
