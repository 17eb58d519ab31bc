"""Tests that each locked Python package has exactly one version, with hashes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.requirements import Requirement

import modelyard_targets.kube.image
from modelyard_targets.kube.image.packages import Kind, closure, locked, name_of, packages
from modelyard_targets.kube.image.runtime_image import image_files, requirements
from modelyard_targets.kube.image.sbom import bill_of_materials
from tests.plans import system_of
from tests.specs import VALID_SPEC, changed

FOLDER = Path(modelyard_targets.kube.image.__path__[0])
SYSTEM = system_of(VALID_SPEC)
TARGET = SYSTEM.deployment.targets[0]


@pytest.mark.parametrize("kind", ["image", "programs"])
def test_every_package_has_hashes_and_everything_it_requires(kind: Kind) -> None:
    """pip rejects locked requirements if a package has no hashes or one of its dependencies is missing."""
    table = packages(kind)
    for name, package in table.items():
        assert package["hashes"], name
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", digest) for digest in package["hashes"]), name
        assert set(package["requires"]) <= set(table), name


def test_locked_versions_match_the_requirements() -> None:
    """The locked versions satisfy both requirements files. Otherwise, run tools/lock_packages.py."""
    image = json.loads((FOLDER / "requirements.json").read_text())
    programs = json.loads((FOLDER / "programs.json").read_text())
    roots = [
        *image["always"],
        *image["databases"],
        *image["registry"],
        *(line for group in ("protocols", "frameworks") for lines in image[group].values() for line in lines),
    ]

    for kind, lines in (("image", roots), ("programs", programs["programs"])):
        for line in lines:
            assert packages(kind)[name_of(line)]["version"] == line.partition("==")[2], line
    assert set(closure("image", roots)) == set(packages("image"))
    assert set(closure("programs", programs["programs"])) == set(packages("programs"))


def test_only_the_frameworks_in_use_are_installed() -> None:
    xgboost = locked("image", requirements(SYSTEM, TARGET))
    pytorch = locked("image", requirements(system_of(changed("framework: xgboost", "framework: pytorch")), TARGET))

    assert not any(entry.startswith(("torch==", "triton==")) for entry in xgboost)
    assert any(entry.startswith("torch==") for entry in pytorch)


@pytest.mark.parametrize("framework", ["scikit-learn", "xgboost", "lightgbm", "pytorch"])
def test_skops_is_in_the_image_of_each_framework(framework: str) -> None:
    """Every framework's image includes skops, because all built-in trainers preprocess with scikit-learn."""
    lines = requirements(system_of(changed("framework: xgboost", f"framework: {framework}")), TARGET)

    assert [line for line in lines if line.startswith("skops==")] == ["skops==0.16.0"]


def test_package_for_one_architecture_has_a_marker() -> None:
    """Packages needed on only one architecture, such as PyTorch's CUDA libraries, have a marker for it."""
    entries = locked("image", ["torch==2.13.0"])
    markers = {Requirement(entry.partition(" \\")[0]).marker for entry in entries}

    assert None in markers
    assert entries == tuple(sorted(entries))


def test_image_requirements_have_hashes() -> None:
    files = {file.path: file.text() for file in image_files(SYSTEM, TARGET)}

    assert "--require-hashes" in files["image/Dockerfile"]
    entries = re.split(r"\n(?! )", files["image/requirements.txt"].strip())
    assert all(" \\\n    --hash=sha256:" in entry for entry in entries)


# bill of materials


def test_the_bill_is_valid_cyclonedx() -> None:
    """The bill of materials is valid according to CycloneDX's own library."""
    text = bill_of_materials(SYSTEM, TARGET).text()

    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text.replace('"library"', '"book"')) is not None


def test_bill_lists_all_installed_packages() -> None:
    bill = json.loads(bill_of_materials(SYSTEM, TARGET).text())
    listed = {
        f"{package['name']}=={package['version']}"
        for package in bill["components"]
        if package.get("purl", "").startswith("pkg:pypi")
    }
    installed = {re.split(r"[ \\]", entry)[0] for entry in locked("image", requirements(SYSTEM, TARGET))}

    assert listed == installed
    references = {component["bom-ref"] for component in bill["components"]}
    assert all(set(entry["dependsOn"]) <= references for entry in bill["dependencies"])


def test_the_same_image_has_the_same_bill() -> None:
    first, second = (bill_of_materials(system_of(VALID_SPEC), TARGET).text() for _ in range(2))

    assert first == second
    other = bill_of_materials(system_of(changed("framework: xgboost", "framework: lightgbm")), TARGET).text()
    assert json.loads(other)["serialNumber"] != json.loads(first)["serialNumber"]
