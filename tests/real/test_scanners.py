"""Tests that every scanner finding in the examples' manifests is fixed or explained in `findings.yaml`."""

from __future__ import annotations

import json
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import cast

import pytest
import yaml

from modelyard.stack import Project
from tests.examples import Example, on_aws, on_clusters
from tests.real.scanners.scanned import Object, Scanned, scanned
from tests.real.scanners.scanning import Finding, findings

LIST = Path(__file__).parent / "scanners" / "findings.yaml"

Key = tuple[str, str, str]


def listed() -> dict[Key, str]:
    """Return the explanations by tool, check and object pattern."""
    tools = cast("dict[str, dict[str, dict[str, str]]]", yaml.safe_load(LIST.read_text(encoding="utf-8")))
    return {
        (tool, check, pattern): reason
        for tool, checks in tools.items()
        for check, patterns in checks.items()
        for pattern, reason in patterns.items()
    }


def explains(key: Key, finding: Finding) -> bool:
    """Return whether a line of the list explains a finding."""
    tool, check, pattern = key
    return (tool, check) == (finding.tool, finding.check) and fnmatchcase(finding.object, pattern)


def objects_of(example: Example) -> dict[str, tuple[Scanned, ...]]:
    """Return the objects of an example, by target name."""
    outcome = example.compiled()
    assert not outcome.failed, outcome.diagnostics
    return {f"{example}-{stack.target}": tuple(scanned(manifests_of(stack.projects))) for stack in outcome.stacks}


def manifests_of(projects: tuple[Project, ...]) -> list[Object]:
    """Return copies of a target's objects as plain data."""
    files = [file for project in projects for file in project.manifests]
    return [cast("Object", json.loads(json.dumps(one))) for file in files for one in file.documents()]


@pytest.fixture(scope="module")
def found(built: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> list[Finding]:
    """Return the findings of both scanners in all examples."""
    built("kube-score")
    systems = {
        name: objects for example in (*on_clusters(), *on_aws()) for name, objects in objects_of(example).items()
    }
    return findings(systems, tmp_path_factory.mktemp("scanned"))


def test_every_finding_is_explained(found: list[Finding]) -> None:
    keys = list(listed())

    assert [str(one) for one in found if not any(explains(key, one) for key in keys)] == []


def test_every_explanation_has_a_finding(found: list[Finding]) -> None:
    """Every explanation has a finding that no earlier line explains. Otherwise, it must be removed."""
    keys = list(listed())
    used = {next((key for key in keys if explains(key, one)), None) for one in found}

    assert [key for key in keys if key not in used] == []


def test_every_reason_is_one_sentence_on_one_line() -> None:
    lines = [line.strip() for line in LIST.read_text(encoding="utf-8").splitlines()]

    assert [
        reason
        for (_, _, pattern), reason in listed().items()
        if f'"{pattern}": {reason}' not in lines or not reason.endswith(".")
    ] == []


def test_scanners_report_a_privileged_worker(tmp_path: Path, found: list[Finding]) -> None:
    """Both scanners find Pods inside Ray's kinds, and their findings name the worker."""
    assert found
    systems = objects_of(on_clusters()[0])
    name, objects = next(iter(systems.items()))
    worker = next(one for one in objects if "/worker-" in one.address)
    container = worker.manifest["spec"]["template"]["spec"]["containers"][0]
    container["securityContext"] = {"privileged": True}

    seen = {(one.tool, one.check) for one in findings({name: objects}, tmp_path) if one.object == worker.address}

    assert {("checkov", "CKV_K8S_16"), ("kube-score", "container-security-context-privileged")} <= seen
