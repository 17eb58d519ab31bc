"""Lists the requirements of Azure's APIs for the resources that the components create.

python -m tools.list_azure_types FOLDER

FOLDER is a checkout of the repository in `SOURCE`, whose types Microsoft generates from the API descriptions. The table
contains the resource types that the components register, in the API versions of the installed SDK, with only the
properties that the components set. For each property, it contains the type, values, pattern and bounds; for each
object, it states which properties are required and which only Azure sets. `tests/stacks/azure` compares registrations
with the table.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias, cast

from modelyard.emit import emit
from testbed.clouds.azure.arm import RESOURCES, Arm
from testbed.clouds.azure.bicep import TABLE, Node, sent, version_of
from tests.examples import SYSTEMS, Example
from tests.stacks.azure.programs import registered_together, with_everything
from tests.stacks.programs import Registration, registrations

Type: TypeAlias = dict[str, Any]

SOURCE: Final = "github.com/Azure/bicep-types-az@1f896de2d, 2026-08-20"

_REQUIRED, _READ_ONLY = 1, 2
_SCALARS: Final = {"BooleanType": "boolean", "IntegerType": "integer", "StringType": "string"}
_BOUNDS: Final = ("pattern", "minLength", "maxLength", "minValue", "maxValue")
_WIDTH: Final = 120


@dataclass(frozen=True, slots=True)
class Types:
    """The types of one Azure resource provider, such as Microsoft.Storage, in one API version."""

    all: list[Type]

    def resolved(self, reference: Mapping[str, str]) -> Type:
        """Return the type that a reference such as `#/12` refers to."""
        return self.all[int(reference["$ref"].removeprefix("#/"))]


def main() -> None:
    """Write the table of resource types."""
    folder = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as written:
        registrations = list(_registrations(Path(written)))
    entries = {type_: _entry(folder, type_, registrations) for type_ in sorted(RESOURCES)}
    TABLE.write_text(printed({"source": SOURCE, "types": entries}) + "\n", encoding="utf-8")


def node_of(value: Any, schema: Type, types: Types) -> Node:
    """Return a type's requirements for a value, omitting properties that the value does not have."""
    kind = schema["$type"]
    if kind == "ArrayType":
        item = types.resolved(schema["itemType"])
        return {"items": merged(node_of(each, item, types) for each in value)}
    if kind == "ObjectType":
        return _object_of(value, schema, types)
    if kind == "DiscriminatedObjectType":
        by = schema["discriminator"]
        chosen = types.resolved(schema["elements"][value[by]])
        properties = {**schema["baseProperties"], **chosen["properties"]}
        return {"by": by, "choices": {value[by]: _object_of(value, {**chosen, "properties": properties}, types)}}
    if kind == "UnionType":
        elements = (types.resolved(each) for each in schema["elements"])
        return {"values": [each["value"] for each in elements if each["$type"] == "StringLiteralType"]}
    if kind == "StringLiteralType":
        return {"values": [schema["value"]]}
    if kind == "AnyType":
        return {}
    return {"type": _SCALARS[kind], **{key: schema[key] for key in _BOUNDS if key in schema}}


def merged(nodes: Iterable[Node]) -> Node:
    """Return a node that allows every value allowed by at least one of `nodes`."""
    result: Node = {}
    for node in nodes:
        for key, value in node.items():
            both = isinstance(value, dict) and key in result
            result[key] = merged((result[key], cast("Node", value))) if both else value
    return result


def printed(value: Any, depth: int = 0) -> str:
    """Return JSON text in which each value is on one line if it fits."""
    line = json.dumps(value)
    if not isinstance(value, dict) or len(line) + depth < _WIDTH or not value:
        return line
    entries = cast("dict[str, Any]", value).items()
    indent = " " * (depth + 1)
    lines = (f"{indent}{json.dumps(key)}: {printed(each, depth + 1)}" for key, each in entries)
    return "{\n" + ",\n".join(lines) + "\n" + " " * depth + "}"


def _object_of(value: Mapping[str, Any], schema: Type, types: Types) -> Node:
    properties = schema["properties"]
    values = _put_together(value, properties, types)
    node: Node = {"properties": {}}
    others: list[Node] = []
    for key, entry in values.items():
        if key in properties:
            node["properties"][key] = node_of(entry, types.resolved(properties[key]["type"]), types)
        elif "additionalProperties" in schema:
            others.append(node_of(entry, types.resolved(schema["additionalProperties"]), types))
        else:
            raise LookupError(f"the API has no property {key!r}")
    flags = {key: each["flags"] for key, each in properties.items()}
    required = [key for key, flag in flags.items() if flag & _REQUIRED and not flag & _READ_ONLY]
    read_only = [key for key, flag in flags.items() if flag & _READ_ONLY]
    return {
        **node,
        **({"required": required} if required else {}),
        **({"readOnly": read_only} if read_only else {}),
        **({"others": merged(others)} if "additionalProperties" in schema else {}),
    }


def _put_together(value: Mapping[str, Any], properties: Mapping[str, Any], types: Types) -> dict[str, Any]:
    """Nest the fields that belong in an object's `properties`, which Pulumi places next to its other fields."""
    inner = types.resolved(properties["properties"]["type"]) if "properties" in properties else {"$type": ""}
    if "properties" in value or inner["$type"] != "ObjectType":
        return dict(value)
    # properties that only Azure sets may have the same name as ours, such as the type of a pool or of a role
    own = {key for key, each in properties.items() if not (each["flags"] & _READ_ONLY and key in inner["properties"])}
    moved = {key: each for key, each in value.items() if key not in own and key in inner["properties"]}
    kept = {key: each for key, each in value.items() if key not in moved}
    return {**kept, "properties": moved} if moved else kept


def _entry(folder: Path, type_: str, registrations: list[Registration]) -> Node:
    arm, version = RESOURCES[type_], version_of(type_)
    types = _types_of(folder, arm.kind.partition("/")[0], version)
    body = _body(types, arm, version)
    bodies = (sent(each, arm) for each in registrations if each["type"] == type_)
    return {"kind": f"{arm.kind}@{version}", "body": merged(node_of(each, body, types) for each in bodies)}


def _registrations(folder: Path) -> Iterator[Registration]:
    """Yield the resource registrations of test programs with all components, and those of a compiled program."""
    for program in registered_together(folder, with_everything()).values():
        yield from program.values()
    for stack in Example("leads-on-azure", None, SYSTEMS).compiled().stacks:
        for file in emit(stack):
            path = folder / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.render())
    for registered in registrations(*folder.rglob("infrastructure")):
        yield from registered


def _types_of(folder: Path, provider: str, version: str) -> Types:
    """Return the types of a resource provider such as Microsoft.Storage, in one API version."""
    places = folder.glob(f"generated/*/{provider.lower()}/{version}/types.json")
    files = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(places)]
    assert files, f"{folder} has no types of {provider} {version}"
    everything: list[Type] = []
    for types in files:
        everything += _moved(types, by=len(everything))
    return Types(everything)


def _moved(types: list[Type], *, by: int) -> list[Type]:
    """Return a file's types with their references shifted past the types of other files."""

    def moved(match: re.Match[str]) -> str:
        return f'"#/{int(match[1]) + by}"'

    renumbered: list[Type] = json.loads(re.sub(r'"#/(\d+)"', moved, json.dumps(types)))
    return renumbered


def _body(types: Types, arm: Arm, version: str) -> Type:
    name = f"{arm.kind}@{version}".lower()
    (resource,) = (each for each in types.all if each["$type"] == "ResourceType" and each["name"].lower() == name)
    return types.resolved(resource["body"])


if __name__ == "__main__":
    main()
