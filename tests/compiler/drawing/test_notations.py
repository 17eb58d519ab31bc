"""Tests that all drawing notations yield complete, deterministic files where strings stay plain text."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelyard.drawing.as_json import picture_json
from modelyard.drawing.columns import place
from modelyard.drawing.dot import dot
from modelyard.drawing.layout import layout
from modelyard.drawing.mermaid import mermaid, mermaid_text
from modelyard.drawing.ml import ml_view
from modelyard.drawing.network import network_view
from modelyard.drawing.page import page
from modelyard.drawing.picture import Arrow, Box, Ids, Picture, Shape
from modelyard.drawing.svg import svg
from tests.plans import large_spec, plan_of, system_of
from tests.specs import VALID_SPEC

LABEL = r"\"(?:[^\W_]|[ \-_./@,%;#]|<br/>)*\""
MERMAID = re.compile(
    rf"flowchart LR| *end| *subgraph \w+\[{LABEL}\]"
    rf"| *\w+(\[|\[\(|\[\[|\(\[|\{{\{{|>|\[/){LABEL}(\]|\)\]|\]\]|\]\)|\}}\}}|/\])"
    rf"| *\w+ (-->|-\.->)(\|{LABEL}\|)? \w+"
)
DOT = re.compile(r'("([^"\\\n]|\\["\\n])*"|[\w={};,\[\] >-])*')
HOSTILE = [
    '"]; click x "javascript:alert(1)"',
    "</text><script>alert(1)</script>",
    "``` \n# heading",
    "%%{init: {}}%%",
    "]]> -->|x| y",
    "#quot;",
    "1. one",
    "- one",
    "*a* _b_ [c](https://d.example)",
    "https://www.acme.example",
    "www.acme.example",
    "ada@acme.example",
    "end",
    "a\\",
    "\u202eabc",
    "\x00\x1b[31m\ud800",
]


def picture_labelled(name: str) -> Picture:
    """Return a drawing in which every label is the given name."""
    boxes = tuple(Box(f"box_{shape}", shape, "data", name, (name,), "group") for shape in Shape)
    arrows = (
        Arrow("box_box", "box_flag", name),
        Arrow("box_flag", "box_box", name, dashed=True, feedback=True),
        Arrow("box_double", "box_double", name),
    )
    return Picture(name, boxes, arrows, (("group", name),))


def check_everything(name: str) -> None:
    """Assert that in each notation, a drawing has the same structure with the given name as with a plain name."""
    plain, odd = picture_labelled("plain"), picture_labelled(name)
    for draw, line in ((mermaid, MERMAID), (dot, DOT)):
        assert len(draw(odd).split("\n")) == len(draw(plain).split("\n"))
        assert [each for each in draw(odd).split("\n")[:-1] if not line.fullmatch(each)] == []
    for draw in (svg, page):
        assert draw(odd).count("<") == draw(plain).count("<")
    assert _tags(page(odd)) == _tags(page(plain))
    assert [each.tag for each in ElementTree.fromstring(svg(odd)).iter()] == [
        each.tag for each in ElementTree.fromstring(svg(plain)).iter()
    ]
    assert {each["name"] for each in json.loads(picture_json(odd))["nodes"]} == {name}


def _tags(text: str) -> list[str]:
    tags: list[str] = []

    class Tags(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            tags.append(" ".join((tag, *(key for key, _ in attrs))))

    Tags().feed(text)
    return tags


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_code_in_names_stays_text(name: str) -> None:
    check_everything(name)


@given(st.text(st.characters(codec="utf-8"), min_size=1))
def test_any_name_stays_text(name: str) -> None:
    check_everything(name)


@pytest.mark.parametrize("address", ["https://a.example", "www.a.example", "ada@acme.example", "`x`", "1. x", "- x"])
def test_mermaid_labels_contain_no_markdown(address: str) -> None:
    assert not re.search(r"://|www\.|@.*\.|`|^\d+\. |^- ", mermaid_text(address))


def test_mermaid_escapes_only_what_is_necessary() -> None:
    assert mermaid_text("fraud-xgb@champion, 95%") == "fraud-xgb@champion, 95%"
    assert mermaid_text("cron 0 4 * * 1") == "cron 0 4 #42; #42; 1"


@pytest.mark.parametrize("picture", [ml_view(system_of(VALID_SPEC)), network_view(plan_of(large_spec(12)))])
def test_every_line_is_valid_syntax(picture: Picture) -> None:
    assert [line for line in mermaid(picture).splitlines() if not MERMAID.fullmatch(line)] == []
    assert [line for line in dot(picture).splitlines() if not DOT.fullmatch(line)] == []
    ElementTree.fromstring(svg(picture))


def test_ids_are_derived_from_names_and_unique() -> None:
    ids = Ids()
    results = [ids.of("data", name) for name in ("a-b", "a_b", "A.B", "", "ü")]

    assert len(set(results)) == len(results)
    assert results[0] == ids.of("data", "a-b") == "data_a_b"
    assert all(re.fullmatch(r"[a-z0-9_]+", each) for each in results)


def test_boxes_of_a_drawing_do_not_overlap() -> None:
    boxes = [spot for _, spot in layout(ml_view(system_of(large_spec(9)))).boxes]

    for at, box in enumerate(boxes):
        for other in boxes[at + 1 :]:
            apart = box.x + box.width <= other.x or other.x + other.width <= box.x
            assert apart or box.y + box.height <= other.y or other.y + other.height <= box.y


def test_everything_is_within_the_drawing() -> None:
    drawn = layout(ml_view(system_of(VALID_SPEC)))
    points = [point for line in drawn.lines for point in line.points]
    corners = [(spot.x, spot.y) for _, spot in drawn.boxes]
    corners += [(spot.x + spot.width, spot.y + spot.height) for _, spot in drawn.boxes]

    assert all(0 <= x <= drawn.width and 0 <= y <= drawn.height for x, y in (*points, *corners))


def test_a_cycle_is_laid_out_in_columns() -> None:
    boxes = tuple(Box(name, Shape.BOX, "data", name) for name in "abc")
    circle = tuple(Arrow(source, sink) for source, sink in ("ab", "bc", "ca"))
    placed = place(Picture("", boxes, circle))

    assert placed.columns == [["a"], ["b"], ["c"]]
    assert placed.back == (circle[2],)


def test_an_arrow_across_columns_has_a_waypoint_in_each() -> None:
    boxes = tuple(Box(name, Shape.BOX, "data", name) for name in "abc")
    placed = place(Picture("", boxes, (Arrow("a", "b"), Arrow("b", "c"), Arrow("a", "c"))))

    assert [len(column) for column in placed.columns] == [1, 2, 1]


def test_an_empty_picture_can_be_drawn() -> None:
    empty = Picture("", (), ())

    assert mermaid(empty) == "flowchart LR\n"
    ElementTree.fromstring(svg(empty))
