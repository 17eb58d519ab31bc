"""Tests that the page on tested versions lists those built by the testbed and emitted by the compiler."""

from __future__ import annotations

import json
import re
from pathlib import Path

from testbed.parts import PULUMI, PULUMI_KUBERNETES
from testbed.places import REPOSITORY

PAGE = REPOSITORY / "docs" / "decisions" / "0026-versions-under-test.md"
PROGRAMS = REPOSITORY / "targets" / "modelyard_targets" / "kube" / "image" / "programs.json"
ROW = re.compile(r"\| .*\(`(?P<package>[\w-]+)`\) \| (?P<emitted>[\d.]+) \| (?P<tested>.+) \|")


def test_page_lists_the_emitted_and_built_versions() -> None:
    rows = {row["package"]: (row["emitted"], row["tested"]) for row in ROW.finditer(PAGE.read_text())}
    emitted = dict(_pin(line) for line in json.loads(PROGRAMS.read_text())["programs"])

    assert rows == {
        "pulumi": (emitted["pulumi"], PULUMI.removeprefix("v")),
        "pulumi-kubernetes": (emitted["pulumi-kubernetes"], PULUMI_KUBERNETES),
        "pulumi-aws": (emitted["pulumi-aws"], "a stand-in"),
    }


def test_requirements_match_the_page() -> None:
    """Every emitted `requirements.txt` has the versions on the page."""
    emitted = dict(_pin(line) for line in json.loads(PROGRAMS.read_text())["programs"])
    files = [path for path in _requirements() if "pulumi==" in path.read_text()]

    assert files
    for path in files:
        pins = dict(_pin(line) for line in re.findall(r"^pulumi[\w-]*==[\d.]+", path.read_text(), re.MULTILINE))
        assert pins == {name: emitted[name] for name in pins}, path


def _requirements() -> list[Path]:
    return sorted((REPOSITORY / "tests" / "golden").rglob("requirements.txt"))


def _pin(line: str) -> tuple[str, str]:
    name, _, version = line.partition("==")
    return name, version
