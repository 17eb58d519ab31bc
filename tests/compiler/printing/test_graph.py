"""The plan as a picture and as JSON: all of it is there, and no name of the spec is more than a name."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import cache

from hypothesis import given
from hypothesis import strategies as st

from modelyard.plan import Kind, Link, Namespace, Plan, Resource
from modelyard.printing.graph import as_json, dot, mermaid
from tests.plans import large_spec, plan_of
from tests.specs import VALID_SPEC

MERMAID = re.compile(
    r"flowchart LR"
    r"|  subgraph t\d+\[\"[\w \-./:#;]*\"\]|  end"
    r"|    r\d+(\[|\[\(|\[\[|\(\[|\{\{|>)\"[\w \-./:#;]*\"(\]|\)\]|\]\]|\]\)|\}\})"
    r"|  r\d+ -->\|[a-z]+\| r\d+"
)
DOT = re.compile(r'("([^"\\\n]|\\["\\])*"|[\w={};,\[\] >-])*')


def test_a_picture_shows_what_runs_and_what_it_reaches() -> None:
    lines = mermaid(plan_of(VALID_SPEC)).splitlines()

    assert '  subgraph t1["main"]' in lines
    ids = {line.split('"')[1]: line.split("[")[0].strip("{(> ") for line in lines if line.startswith("    ")}
    monitor = ids["monitor monitor-drift"].partition("{")[0]
    assert f"  {monitor} -->|trigger| {ids['training job retrain']}" in lines
    assert not [line for line in lines if "identity" in line]


def test_every_target_is_a_box_of_its_own() -> None:
    plan = plan_of(large_spec(3))

    assert re.findall(r"subgraph t\d\[\"(\w+)\"\]", mermaid(plan)) == ["far", "near"]
    assert dot(plan).count("subgraph cluster_t") == 2


def test_json_holds_everything() -> None:
    plan = plan_of(VALID_SPEC)
    read = json.loads(as_json(plan))

    assert [one["place"] for one in read["resources"]] == [one.place for one in plan.resources]
    assert [(one["source"], one["sink"], one["what"]) for one in read["links"]] == [
        (one.source, one.sink, one.what) for one in plan.links
    ]


def test_every_line_is_of_the_notation() -> None:
    plan = plan_of(large_spec(12))

    assert all(MERMAID.fullmatch(line) for line in mermaid(plan).splitlines())
    assert all(DOT.fullmatch(line) for line in dot(plan).splitlines())


@given(st.text(st.characters(codec="utf-8"), min_size=1))
def test_a_name_is_only_a_name(name: str) -> None:
    """Names are labels by then; were they not, a picture would still have as many lines, and each would be whole."""
    plain, odd = named("plain"), named(name)

    assert len(mermaid(odd).split("\n")) == len(mermaid(plain).split("\n"))
    assert all(MERMAID.fullmatch(line) for line in mermaid(odd).split("\n")[:-1])
    assert all(DOT.fullmatch(line) for line in dot(odd).split("\n"))
    assert json.loads(as_json(odd))["resources"][-1]["name"] == name


@cache
def small() -> Plan:
    return plan_of(large_spec(1))


def named(name: str) -> Plan:
    """A plan with a resource of that name, and a link to it."""
    plan = small()
    target = plan.system.deployment.targets[0]
    extra = Resource(Kind.CHANNEL, name, "near", ("channels",), "", Namespace(target))
    first = plan.resources[0]
    return replace(
        plan, resources=(*plan.resources, extra), links=(*plan.links, Link(first.place, extra.place, "requests"))
    )
