"""Tests that a move to a new cluster doesn't keep addresses that only the old cluster resolves."""

from __future__ import annotations

import pytest

from modelyard.inputs import InputFile, Inputs
from modelyard.migration.judging import refusals_of
from modelyard.migration.sides import MoveRequest, Side, sides_of
from modelyard.pipeline import compile_system
from modelyard.plan import is_cluster_local
from modelyard.portability import Destination, portability
from modelyard.source import Json
from modelyard_targets import TARGETS
from tests.lake import lake_at

AWS = Destination("aws", "eu-central-1")
INSIDE = "minio.storage.svc"


def old_side(host: str) -> Side:
    """Return the old side of a move, with its object store at the given host."""
    inputs = Inputs(InputFile("system.yaml", lake_at(f"https://{host}:9000", adopt="deeds")))
    return Side(inputs, compile_system(inputs, TARGETS))


@pytest.mark.parametrize(
    ("host", "is_local"),
    [
        (INSIDE, True),
        ("minio.storage.svc.cluster.local", True),
        ("minio", True),
        ("s3.plant.example", False),
        ("svc.plant.example", False),
        ("10.9.0.4", False),
        ("fd00::4", False),
        ("", False),
    ],
)
def test_names_without_a_dot_and_names_of_services_are_local(host: str, is_local: bool) -> None:
    assert is_cluster_local(host) is is_local


@pytest.mark.parametrize(
    ("host", "endpoint", "is_refused"),
    [(INSIDE, "", True), ("s3.plant.example", "", False), (INSIDE, "https://s3.plant.example", False)],
    ids=["kept", "reachable", "replaced"],
)
def test_a_move_to_a_cloud_does_not_keep_the_address_of_a_service(host: str, endpoint: str, is_refused: bool) -> None:
    patch: dict[str, Json] = {"stores": {"lake": {"endpoint": endpoint}}} if endpoint else {}
    sides = sides_of(MoveRequest(("main",), AWS, "moved", patch), old_side(host), TARGETS)

    found = [refusal for refusal in refusals_of(sides) if refusal.problem.code == "E0554"]
    assert [refusal.part for refusal in found] == ["stores.lake"] * is_refused
    for refusal in found:
        assert "'minio.storage.svc', which resolves only inside the cluster of target 'main'" in refusal.problem.message


@pytest.mark.parametrize(("place", "is_refused"), [(AWS, True), (Destination("kubernetes"), False)])
def test_portability_names_it_too(place: Destination, is_refused: bool) -> None:
    """`portability` refuses such an address in a new cluster.

    In an existing cluster, the name may belong to a different Service.
    """
    old = old_side(INSIDE)

    (move,) = portability(old.outcome, old.inputs, TARGETS, [place]).moves
    assert ("E0554" in {refusal.problem.code for refusal in move.refusals}) is is_refused


def test_a_refusal_is_at_a_line_of_the_spec_and_not_of_the_overlay_that_nobody_has_written() -> None:
    """The overlay adds an unknown field, but only exists in memory until a plan is written."""
    patch: dict[str, Json] = {"stores": {"lake": {"endpoint": None, "credentials": None, "colour": "red"}}}
    sides = sides_of(MoveRequest(("main",), AWS, "moved", patch), old_side("s3.plant.example"), TARGETS)

    places = {refusal.problem.span for refusal in refusals_of(sides)}
    assert {(span.file, span.line) for span in places if span is not None} == {("system.yaml", 7)}
