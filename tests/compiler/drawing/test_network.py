"""Tests that the network view shows every resource and link, and its JSON contains the entire plan."""

from __future__ import annotations

import json
import re

from modelyard.drawing.dot import dot
from modelyard.drawing.mermaid import mermaid
from modelyard.drawing.network import network_view, plan_json
from tests.plans import large_spec, plan_of
from tests.specs import VALID_SPEC


def test_network_view_shows_resources_and_links() -> None:
    picture = network_view(plan_of(VALID_SPEC))
    ids = {box.name: box.id for box in picture.boxes}
    ends = {(arrow.source, arrow.text, arrow.sink) for arrow in picture.arrows}

    assert picture.groups == (("t1", "main"),)
    assert (ids["monitor monitor-drift"], "trigger", ids["training job retrain"]) in ends
    assert not [name for name in ids if "identity" in name]


def test_every_target_is_a_group() -> None:
    picture = network_view(plan_of(large_spec(3)))

    assert re.findall(r"subgraph t\d\[\"(\w+)\"\]", mermaid(picture)) == ["far", "near"]
    assert dot(picture).count("subgraph cluster_t") == 2


def test_json_has_the_whole_plan() -> None:
    plan = plan_of(VALID_SPEC)
    read = json.loads(plan_json(plan))

    assert read["view"] == "network"
    assert [item["place"] for item in read["resources"]] == [item.place for item in plan.resources]
    assert [(item["source"], item["sink"], item["what"]) for item in read["links"]] == [
        (item.source, item.sink, item.what) for item in plan.links
    ]
