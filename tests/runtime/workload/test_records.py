"""Tests that the records match the schema, and that every emitted description can be decoded."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from modelyard_runtime.refusals import Refusal
from modelyard_runtime.workload.decode import decode
from modelyard_runtime.workload.records import OF_TYPE, RegistryWorkload, workload_of
from tests.runtime.described import completed

GOLDEN = Path(__file__).parents[2] / "golden"


def emitted() -> Iterator[dict[str, Any]]:
    """Yield the description of every workload in every example."""
    for path in sorted(GOLDEN.glob("*/*/workloads/manifests/*.yaml")):
        for text in re.findall(r"^  workload\.json: \|-\n((?:    .*\n)+)", path.read_text("utf-8"), re.MULTILINE):
            yield json.loads(text)


def test_every_emitted_description_is_decoded() -> None:
    descriptions = list(emitted())

    assert {description.get("type", "registry") for description in descriptions} == {*OF_TYPE, "registry"}
    for described in descriptions:
        record = decode(RegistryWorkload, described) if "server" in described else workload_of(described)
        assert record.source == described


@pytest.mark.parametrize("kind", OF_TYPE)
def test_workload_has_only_the_section_of_its_type(kind: str) -> None:
    described = completed(OF_TYPE[kind], {"type": kind})
    assert isinstance(workload_of(described), OF_TYPE[kind])

    other = "monitor" if kind != "monitor" else "pipeline"
    with pytest.raises(Refusal, match=f"{other} is unknown"):
        workload_of({**described, other: {}})


def test_unknown_type_is_refused() -> None:
    with pytest.raises(Refusal, match="unknown workload type 'notebook'; supported: server, training"):
        workload_of({"type": "notebook"})
