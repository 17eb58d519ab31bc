"""The runtime image's bill of materials in CycloneDX 1.6, for scanners that do not build the image."""

from __future__ import annotations

from typing import Final
from uuid import NAMESPACE_URL, uuid5

from modelyard import __version__
from modelyard.spec import System, TargetSpec
from modelyard.stack import TextFile, Value
from modelyard.writers.json_text import json_text
from modelyard_targets.kube.image.needed import BASE
from modelyard_targets.kube.image.packages import closure, packages
from modelyard_targets.kube.image.runtime_image import requirements, runtime_image

PATH: Final = "image.cdx.json"
_RUNTIME: Final = "modelyard-runtime"


def bill_of_materials(system: System, target: TargetSpec) -> TextFile:
    """Return the bill of materials. It has no date, so the same image always has the same bill.

    Each package lists the hashes of all files pip may choose. Packages in the base image aren't listed.
    """
    return TextFile(PATH, lambda: json_text(_bill(system, target)) + "\n")


def _bill(system: System, target: TargetSpec) -> dict[str, Value]:
    image = runtime_image(system, target)
    name, _, version = image.rpartition(":")
    names = sorted(closure("image", requirements(system, target)))
    base_name, _, base_tag = BASE.rpartition(":")
    base: dict[str, Value] = {"type": "container", "bom-ref": "base", "name": base_name, "version": base_tag}
    runtime: dict[str, Value] = {"type": "library", "bom-ref": _RUNTIME, "name": _RUNTIME, "version": __version__}
    purl = f"pkg:docker/{base_name.partition('/')[2]}@{base_tag}"
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid5(NAMESPACE_URL, image)}",
        "version": 1,
        "metadata": {
            "tools": {"components": [{"type": "application", "name": "modelyard", "version": __version__}]},
            "component": {"type": "container", "bom-ref": "image", "name": name, "version": version},
        },
        "components": [{**base, "purl": purl}, runtime, *map(_component, names)],
        "dependencies": [
            {"ref": "image", "dependsOn": ["base", _RUNTIME, *map(_purl, names)]},
            *({"ref": _purl(name), "dependsOn": _requires(name, names)} for name in names),
        ],
    }


def _component(name: str) -> Value:
    package = packages("image")[name]
    hashes: list[Value] = [
        {"alg": "SHA-256", "content": digest.removeprefix("sha256:")} for digest in package["hashes"]
    ]
    purl = _purl(name)
    return {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": package["version"],
        "purl": purl,
        "hashes": hashes,
    }


def _purl(name: str) -> str:
    return f"pkg:pypi/{name}@{packages('image')[name]['version']}"


def _requires(name: str, names: list[str]) -> list[Value]:
    return [_purl(dependency) for dependency in packages("image")[name]["requires"] if dependency in names]
