"""Tests that values in the generated Markdown are always literal, single-line text."""

from __future__ import annotations

import re
import shlex

from hypothesis import given
from hypothesis import strategies as st

from modelyard_targets.kube.readme.prose import as_code, as_diagram, as_text, as_word
from tests.plans import large_spec, system_of

HOSTILE = st.text(alphabet=st.characters(codec="utf-8") | st.sampled_from("`|<>[]()*_\\\n#-&!"))


@given(HOSTILE)
def test_text_is_escaped_in_markdown(text: str) -> None:
    """Markup characters are escaped everywhere, and no value spans several lines."""
    escaped = as_text(text)

    assert "\n" not in escaped
    assert not re.search(r"[<>]", escaped)
    assert not re.search(r"(?<!\\)(?:\\\\)*[`*_\[\]|~]", escaped.replace("\\\\", ""))


@given(HOSTILE)
def test_code_span_cannot_be_closed_early(text: str) -> None:
    span = as_code(text)
    fence = re.match("`+", span)

    assert fence is not None
    inside = span[len(fence[0]) : -len(fence[0])]
    assert fence[0] not in inside.replace(" ", "")
    assert "\n" not in span


@given(HOSTILE)
def test_shell_word_is_one_word(text: str) -> None:
    assert len(shlex.split(as_word(text))) == 1


def test_harmless_text_is_unchanged() -> None:
    assert as_text("payments-risk, 18000 USD (a month)") == "payments-risk, 18000 USD (a month)"
    assert as_text("- x") == "\\- x"
    assert as_text("<script>") == "&lt;script&gt;"


def test_a_diagram_is_one_code_block() -> None:
    lines = as_diagram(system_of(large_spec(3))).split("\n")

    assert (lines[0], lines[1], lines[-1]) == ("```mermaid", "flowchart LR", "```")
    assert not [line for line in lines[1:-1] if "`" in line]


def test_a_diagram_that_mermaid_would_refuse_is_left_out() -> None:
    assert "modelyard graph --format html" in as_diagram(system_of(large_spec(200)))
