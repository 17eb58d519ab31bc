"""Tests that plans for systems with sites have commands with each site's values and no trace of the placeholders."""

from __future__ import annotations

import re

from modelyard.migration.access import rclone_file
from modelyard.migration.patches import merged
from modelyard.migration.planning import planned
from modelyard.migration.records import Migration, Move
from modelyard.migration.sides import MoveRequest, Side, sides_of
from modelyard.portability import Destination
from modelyard.printing.migration import markdown
from modelyard.sites.binding import has_markers
from modelyard.source import Json
from modelyard.usage import NO_USAGE
from modelyard_targets import TARGETS
from tests.examples import SYSTEMS, Example

SITES = ("shop-001", "shop-002", "shop-003", "shop-107")
CENTRE_IN_CLOUD: dict[str, Json] = {
    "deployment": {
        "mode": "hybrid",
        "targets": {"centre": {"reachableFrom": None}, "shops": {"issuer": "https://issuer.acme.example/shops"}},
    },
    "stores": {"lake": {"endpoint": None, "credentials": None}},
}


def plan(patch: dict[str, Json]) -> tuple[Migration, Move]:
    """Return the plan that moves the central target of a chain of shops to a cloud. The shops stay where they are."""
    example = Example("shelf", None, SYSTEMS)
    old = Side(example.inputs(), example.compiled())
    wish = MoveRequest(("centre",), Destination("gcp", "europe-west3"), "gcp", patch)
    return planned(sides_of(wish, old, TARGETS), (".",), "migration", TARGETS, NO_USAGE)


def test_commands_name_each_site_and_requests_go_to_one() -> None:
    """A command without a site's context would run in a cluster that does not exist."""
    migration, move = plan(CENTRE_IN_CLOUD)
    phases = {phase.name: phase for phase in migration.phases}

    lines = markdown(migration).splitlines()
    assert not [line for line in (*lines, *rclone_file(move).splitlines()) if has_markers(line)]
    for words in ("-n shelf-gcp describe secret box", "-n shelf-gcp get cronjobs", "-n shelf get rayjobs"):
        found = [match[1] for line in lines if (match := re.fullmatch(rf"kubectl --context (shop-\S+) {words}", line))]
        assert tuple(found) == SITES
    (asked,) = [step for step in phases["7-dual-run"].do if "shelf.json" in step.text]
    assert "This asks site shop-001" in asked.text
    assert [line.split(" ")[2] for line in asked.commands[::2]] == ["shop-001", "shop-001"]


def test_every_site_gets_the_overlay_with_schedules() -> None:
    """At the cut-over and on the way back, each site's stack is applied."""
    migration, _ = plan(CENTRE_IN_CLOUD)
    cut_over = next(phase for phase in migration.phases if phase.name == "9-cut-over")

    for steps in (cut_over.do, cut_over.undo):
        applied = [line for step in steps for line in step.commands if " up " in line and "/shops/" in line]
        assert [line.rpartition(".")[2] for line in applied] == list(SITES)


def test_stores_at_sites_that_move_are_named_for_people() -> None:
    """One command cannot copy every site's bucket, but the plan still mentions the buckets."""
    patch = merged(CENTRE_IN_CLOUD, {"stores": {"box": {"adopt": "shelf-2"}}})
    assert isinstance(patch, dict)
    migration, _ = plan(patch)

    (step,) = [step for step in migration.phases[4].do if "once for each site" in step.text]
    assert "Copy s3://shelf to s3://shelf-2" in step.text
