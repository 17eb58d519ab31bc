"""Tests that plans for systems with sites have commands with each site's values, and contain no placeholders."""

from __future__ import annotations

import re

from modelyard.migration.access import rclone_file
from modelyard.migration.patches import merged
from modelyard.migration.planning import planned
from modelyard.migration.records import Migration, Move, Step
from modelyard.migration.sides import MoveRequest, Side, sides_of
from modelyard.portability import Destination
from modelyard.printing.migration import markdown
from modelyard.sites.binding import has_markers
from modelyard.source import Json
from modelyard.usage import NO_USAGE
from modelyard_targets import TARGETS
from tests.examples import SYSTEMS, Example

SITES = ("shop-001", "shop-002", "shop-003", "shop-107")
CITIES = ("graz", "linz", "wien", "villach")
CENTRE_IN_CLOUD: dict[str, Json] = {
    "deployment": {
        "mode": "hybrid",
        "targets": {"centre": {"reachableFrom": None}, "shops": {"issuer": "https://issuer.acme.example/shops"}},
    },
    "stores": {"lake": {"endpoint": None, "credentials": None}},
}


def plan(patch: dict[str, Json]) -> tuple[Migration, Move]:
    """Return the plan that moves the central target of a chain of shops to a cloud, leaving the shops in place."""
    example = Example("shelf", None, SYSTEMS)
    old = Side(example.inputs(), example.compiled())
    wish = MoveRequest(("centre",), Destination("gcp", "europe-west3"), "gcp", patch)
    return planned(sides_of(wish, old, TARGETS), (".",), "migration", TARGETS, NO_USAGE)


def test_commands_name_each_site_and_requests_go_to_one() -> None:
    """A command without a site's context would run in a nonexistent cluster."""
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
    """When cutting over or undoing that, each site's stack is applied with an overlay that has schedules."""
    migration, _ = plan(CENTRE_IN_CLOUD)
    cut_over = next(phase for phase in migration.phases if phase.name == "9-cut-over")

    for steps in (cut_over.do, cut_over.undo):
        applied = [line for step in steps for line in step.commands if " up " in line and "/shops/" in line]
        assert [line.rpartition(".")[2] for line in applied] == list(SITES)


def test_each_sites_store_is_copied_to_its_counterpart() -> None:
    """Each site's object store has its own address and key, in every phase that copies or compares data."""
    patch = merged(CENTRE_IN_CLOUD, {"stores": {"box": {"adopt": "shelf-2"}}})
    assert isinstance(patch, dict)
    migration, move = plan(patch)
    phases = {phase.name: phase for phase in migration.phases}
    place = "RCLONE_CONFIG=migration/rclone.conf"

    def commands(steps: tuple[Step, ...]) -> list[list[str]]:
        return [list(step.commands) for step in steps if any(place in line for line in step.commands)]

    copied = commands(phases["5-data"].do)
    for site, city, (old_key, new_key, copy) in zip(SITES, CITIES, copied, strict=True):
        ends = [f"RCLONE_CONFIG_{end}_BOX_ENDPOINT=https://s3.{city}.acme.example" for end in ("OLD", "NEW")]
        path = f"captures/{site}"
        assert copy == " ".join(
            (place, *ends, f"rclone copy old_box:shelf/{path} new_box:shelf-2/{path} --checksum --transfers 16")
        )
        assert ("OLD_BOX" in old_key, "NEW_BOX" in new_key) == (True, True)
    back = commands(phases["10-watch"].do)
    assert [" copy new_box:shelf-2/" in lines[-1] for lines in back] == [True] * len(SITES)
    for name, part in (("5-data", "check"), ("8-freeze", "do"), ("9-cut-over", "check"), ("11-retire", "do")):
        assert len(commands(getattr(phases[name], part))) == len(SITES)
    assert "[old_box]" in rclone_file(move)


def test_markers_are_read_by_the_columns_of_their_own_side() -> None:
    """Each side numbers its markers by the columns it uses, and the new side no longer uses the `s3` column."""
    patch = merged(CENTRE_IN_CLOUD, {"stores": {"box": {"endpoint": "https://${site.registry}"}}})
    assert isinstance(patch, dict)
    migration, _ = plan(patch)

    copies = [line for step in migration.phases[4].do for line in step.commands if " rclone copy " in line]
    endpoints = [found for line in copies if (found := re.findall(r"_BOX_ENDPOINT=(\S+)", line))]
    assert endpoints == [[f"https://{host}.{city}.acme.example" for host in ("s3", "registry")] for city in CITIES]


def test_stores_at_sites_on_one_side_only_are_named_for_people() -> None:
    """The plan can't know where each site's objects belong in a bucket shared by all sites."""
    patch = merged(CENTRE_IN_CLOUD, {"stores": {"box": {"adopt": "shelf-2", "endpoint": "https://s3.acme.example"}}})
    assert isinstance(patch, dict)
    migration, _ = plan(patch)

    (step,) = [step for step in migration.phases[4].do if "once for each site" in step.text]
    assert "Copy s3://shelf to s3://shelf-2" in step.text
    assert step.commands == ()
