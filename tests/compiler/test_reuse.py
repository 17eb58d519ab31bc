"""Tests that a file loaded with the entries of another version is the same as when it is parsed as a whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelyard.load import load
from modelyard.load.builder import LIMITS, Builder, Limits
from modelyard.load.reuse import reused
from modelyard.source import Document, Json, SourceFile
from tests.narrowing import present

SPEC = """\
# the system
kind: MLSystem
metadata: {name: shop}
data:
  # sales
  sales:
    path: sales/
    schema:
      at: timestamp
      amount: number
  stock: {path: stock/,
    schema: {at: timestamp}}
models:
  ranker:
    task: ranking
    description: |
      Ranks.

      Twice.
  empty:
  other:
    task: "regression
      of prices"
"""


ODD_LINES = """
kind: Other
x: 1
data:
models:
  sales: 1
  new:
    a: [1,
  B: 2, 3]
    c: {d: 1,
  E: 2}
    f: "open
  G: still"
    h: |
      text
    i: >-
  - item
- item
  # comment
? j
  ? k
: l
---
...
%YAML 1.2
  m: &n 1
  o: *n
  p: !!str 1
\tq: 1
}
"
  J""".splitlines()


def _parsed(text: str) -> Document | None:
    return load(text, "new.yaml")[0]


def _with_spans(document: Document, value: Json) -> object:
    """Return a value with the numbers of the spans of everything in it."""
    if not isinstance(value, dict | list) or not value:
        return value
    keys = list(value) if isinstance(value, dict) else range(len(value))
    children = value.values() if isinstance(value, dict) else value
    parts = [_with_spans(document, child) for child in children]
    return list(zip(keys, document.spans.entries(value), parts, strict=True))


def _whole(document: Document) -> object:
    return document.root, _with_spans(document, document.value)


def _reused(old: str, new: str, limits: Limits = LIMITS) -> Document | None:
    return reused(SourceFile.read("new.yaml", new), present(_parsed(old)), limits)


@st.composite
def edited(draw: st.DrawFn) -> str:
    """Return the spec with a few lines removed, repeated, moved or added."""
    lines = SPEC.splitlines()
    for _ in range(draw(st.integers(1, 3))):
        at, end, to = sorted(draw(st.lists(st.integers(0, len(lines)), min_size=3, max_size=3)))
        added = draw(st.lists(st.sampled_from(ODD_LINES), max_size=2))
        lines = draw(st.sampled_from([
            lines[:at] + added + lines[end:],
            lines[:at] + lines[end:to] + added + lines[at:end] + lines[to:],
            lines[:to] + added + lines[at:end] + lines[to:],
        ]))  # fmt: skip
    return "\n".join(lines) + draw(st.sampled_from(["", "\n"]))


@given(edited(), edited())
def test_reuse_changes_nothing(old: str, new: str) -> None:
    """Whatever the two versions are, a reused document has the values and the spans of a parsed one."""
    like = _parsed(old)
    document = None if like is None else reused(SourceFile.read("new.yaml", new), like, LIMITS)
    if document is not None:
        assert _whole(document) == _whole(present(_parsed(new)))


@pytest.mark.parametrize(
    ("old", "new", "parsed"),
    [
        ("timestamp\n", "timestamp\n", []),
        ("number", "integer", ["sales"]),
        ("  empty:\n", "", []),
        ("  other:", "  # comment\n  other:", ["empty"]),
        ("  ranker:", "  new: {}\n  ranker:", ["new"]),
        ("kind: MLSystem\n", "kind: MLSystem\nvars: {}\nlists: {}\n", ["vars", "lists"]),
        ("name: shop", "name: store", ["metadata"]),
    ],
)
def test_only_entries_with_other_text_are_parsed(
    monkeypatch: pytest.MonkeyPatch, old: str, new: str, parsed: list[str]
) -> None:
    """Every other entry is the same object as in the other version, and its spans are those of its new lines."""
    like, changed = present(_parsed(SPEC)), SPEC.replace(old, new)
    texts: list[str] = []
    read = Builder.document

    def noted(builder: Builder) -> Json:
        value = read(builder)
        inner = value.get("section", value) if isinstance(value, dict) else None
        texts.extend(inner if isinstance(inner, dict) else ())
        return value

    with monkeypatch.context() as patch:
        patch.setattr(Builder, "document", noted)
        document = present(reused(SourceFile.read("new.yaml", changed), like, LIMITS))

    assert texts == parsed
    assert _whole(document) == _whole(present(_parsed(changed)))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (SPEC, SPEC.replace("kind: MLSystem", "kind: MLSystem\nkind: Other")),  # a duplicate key
        (SPEC, SPEC.replace("  empty:", "  ranker:")),
        (SPEC, SPEC.replace("# the system", "# a system")),  # what comes before the first key
        (SPEC, SPEC.replace("  empty:\n", '  empty: "\n')),  # a string that the next entry would continue
        (SPEC, SPEC.replace("  empty:\n", "  empty: [\n")),
        (SPEC, SPEC.replace("  empty:\n", "  empty: *a\n")),
        (SPEC.replace("  empty:", "  empty: &a"), SPEC.replace("  empty:", "  empty: &a")),
        (SPEC, SPEC.replace("  empty:", "...\n  empty:")),
        (SPEC, SPEC.replace("  empty:", "---\n  empty:")),
        (SPEC, SPEC.replace("\n", "\r\n")),
        (SPEC, SPEC.rstrip("\n")),
        (SPEC, "kind: MLSystem\n"),
        ("{\na: 1,\nb: 2}\n", "{\na: 1,\nb: 3}\n"),
        ("data: 1\n? kind\n: x\nmodels: 2\n", "data: 1\n? kind\n: x\nmodels: 3\n"),
    ],
)
def test_files_that_may_not_be_divided_are_parsed(old: str, new: str) -> None:
    assert _reused(old, new) is None


def test_limits_hold_for_reused_files() -> None:
    """The number of values is limited for the whole file, and the depth for each entry."""
    more = f"{SPEC}  more: [{', '.join('1' * 20)}]\n"
    deeper = f"{SPEC}  deeper: {'[' * 8}{']' * 8}\n"

    assert present(_reused(SPEC, more, Limits(values=50))).value == present(_parsed(more)).value
    assert _reused(SPEC, more, Limits(values=40)) is None
    assert present(_reused(SPEC, deeper, Limits(depth=10))).value == present(_parsed(deeper)).value
    assert _reused(SPEC, deeper, Limits(depth=9)) is None


def test_a_reused_document_can_be_reused() -> None:
    """Documents of a third version come from the second's, although this was not parsed as a whole."""
    second, third = SPEC.replace("number", "integer"), SPEC.replace("  stock", "  # comment\n  stock")
    document = present(_reused(SPEC, second))

    again = present(reused(SourceFile.read("new.yaml", third), document, LIMITS))

    assert _whole(again) == _whole(present(_parsed(third)))
