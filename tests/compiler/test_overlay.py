"""Tests that environments are merged according to RFC 7396 with correct spans, or refused if invalid."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelyard.load import load
from modelyard.overlay import overlay
from modelyard.source import Document, Json, SourceFile, Span
from tests.compiler.conftest import Loaded
from tests.places import places

SPEC = """\
stores:
  lake: {type: object, adopt: acme-lake}
  runs: {type: database}
compute: {train: "L4:1"}
environments:
  dev:
    stores: {lake: {adopt: dev-lake, region: null}, runs: null}
    compute: {train: {cpu: 2, memory: 4Gi}}
  prod: {stores: {archive: {type: object, endpoint: null}}}
  same:
"""


def renamed(document: Document, path: str) -> Document:
    return replace(document, files=(SourceFile(path, document.files[0].text),))


def test_without_an_environment_the_base_is_returned(loaded: Loaded) -> None:
    """Without an environment, only the section `environments` is removed."""
    document, problems = overlay(loaded(SPEC), None)

    assert problems == ()
    assert list(document.value) == ["stores", "compute"]
    assert document.key_span(("compute", "train")).line == 4


def test_an_environment_is_merged(loaded: Loaded) -> None:
    """Mappings are merged, null deletes a field, and a field in short form is replaced as a whole."""
    document, problems = overlay(loaded(SPEC), "dev")

    assert document.value == {
        "stores": {"lake": {"type": "object", "adopt": "dev-lake"}},
        "compute": {"train": {"cpu": 2, "memory": "4Gi"}},
    }
    assert places(problems) == ["7:38 W0135"]


def test_merged_values_keep_their_spans(loaded: Loaded) -> None:
    """Values from an environment have spans there, whereas unchanged values have spans in the base."""
    document, _ = overlay(loaded(SPEC), "dev")

    assert document.value_span(("stores", "lake", "adopt")) == Span("system.yaml", 7, 28, 36)
    assert document.value_span(("stores", "lake", "type")) == Span("system.yaml", 2, 16, 22)
    assert document.key_span(("stores", "lake")) == Span("system.yaml", 2, 3, 7)
    assert document.key_span(("compute", "train")) == Span("system.yaml", 8, 15, 20)
    assert document.key_span(("compute", "train", "memory")).line == 8


def test_nulls_in_new_mappings_are_removed_and_reported(loaded: Loaded) -> None:
    """RFC 7396 removes nulls at any depth. A null that doesn't delete anything is reported."""
    document, problems = overlay(loaded(SPEC), "prod")

    assert document.value["stores"] == {
        "lake": {"type": "object", "adopt": "acme-lake"},
        "runs": {"type": "database"},
        "archive": {"type": "object"},
    }
    assert places(problems) == ["9:43 W0135"]


def test_an_empty_environment_changes_nothing(loaded: Loaded) -> None:
    """An environment with an empty value changes nothing."""
    base, _ = overlay(loaded(SPEC), None)
    document, problems = overlay(loaded(SPEC), "same")

    assert problems == ()
    assert document.value == base.value


def test_a_file_is_merged_like_an_entry_in_the_spec(loaded: Loaded) -> None:
    """Values from an environment's file have spans in that file."""
    extra = renamed(
        loaded("# dev\nstores:\n  lake: {adopt: dev-lake}\n  hot: {type: object}\n"), "environments/dev.yaml"
    )
    document, problems = overlay(loaded("stores: {lake: {type: object, adopt: acme-lake}}\n"), "dev", extra)

    assert problems == ()
    assert document.value == {"stores": {"lake": {"type": "object", "adopt": "dev-lake"}, "hot": {"type": "object"}}}
    assert document.value_span(("stores", "lake", "adopt")) == Span("environments/dev.yaml", 3, 17, 25)
    assert document.key_span(("stores", "hot", "type")) == Span("environments/dev.yaml", 4, 9, 13)
    assert document.value_span(("stores", "lake", "type")) == Span("system.yaml", 1, 23, 29)


def test_the_input_document_is_unchanged(loaded: Loaded) -> None:
    """A stage never modifies its input."""
    base = loaded(SPEC)
    before = json.dumps(base.value)
    overlay(base, "dev")

    assert json.dumps(base.value) == before
    assert base.value_span(("stores", "lake", "adopt")).line == 2


@pytest.mark.parametrize(
    ("text", "environment", "expected"),
    [
        (SPEC, "prd", ["5:1 E0130"]),
        ("stores: {}", "prod", ["E0130"]),
        ("environments: [dev]", None, ["1:15 E0132"]),
        ("environments: {dev: small, prod: 3}", "prod", ["1:21 E0132", "1:34 E0132"]),
        ("environments: {Dev: {}, ../x: {}, a_b: {}}", None, ["1:16 E0133", "1:25 E0133", "1:35 E0133"]),
        ("environments: {dev: {environments: {}}}", None, ["1:22 E0134"]),
    ],
)
def test_invalid_environments_are_refused(
    loaded: Loaded, text: str, environment: str | None, expected: list[str]
) -> None:
    """Invalid environments are refused even if they are not selected."""
    assert places(overlay(loaded(text), environment)[1]) == expected


def test_an_environment_in_two_places_is_refused(loaded: Loaded) -> None:
    """An environment in the spec conflicts with a file of the same name, even if that is empty."""
    assert places(overlay(loaded(SPEC), "dev", renamed(loaded("a: 1"), "environments/dev.yaml"))[1]) == ["6:3 E0131"]


def test_deletions_are_recorded(loaded: Loaded) -> None:
    """Deletions are recorded by path so that errors about missing fields can point to them."""
    document, _ = overlay(loaded(SPEC), "dev")

    assert document.deleted == {
        ("stores", "lake", "region"): Span("system.yaml", 7, 38, 44),
        ("stores", "runs"): Span("system.yaml", 7, 53, 57),
    }


@pytest.mark.parametrize("text", ["", "# later\n", "---\n", "null\n"])
def test_a_file_without_an_environment_changes_nothing(loaded: Loaded, text: str) -> None:
    """An empty file counts as an environment without changes."""
    extra, problems = load(text, "environments/dev.yaml", may_be_empty=True)

    assert (extra and extra.value, problems) == ({}, ())
    assert overlay(loaded("a: 1"), "dev", extra)[0].value == {"a": 1}


def test_a_file_with_several_environments_is_refused(loaded: Loaded) -> None:
    """A file defines a single environment and must not contain several."""
    extra = renamed(loaded("environments: {dev: {}}"), "environments/dev.yaml")
    problems = overlay(loaded("a: 1"), "dev", extra)[1]

    assert [(problem.code, problem.span and problem.span.file) for problem in problems] == [
        ("E0134", "environments/dev.yaml")
    ]


KEYS = st.sampled_from("abc")
JSON = st.recursive(
    st.none() | st.integers(0, 3), lambda inner: st.dictionaries(KEYS, inner, max_size=3) | st.lists(inner, max_size=2)
)


def merged(target: Json, patch: Json) -> Json:
    """Apply a merge patch, transcribed from RFC 7396, section 2."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


@given(st.dictionaries(KEYS, JSON, max_size=3), st.dictionaries(KEYS, JSON, max_size=3))
def test_merging_follows_rfc_7396(base: dict[str, Json], patch: dict[str, Json]) -> None:
    """Any two documents are merged like in the RFC, and every value of the result has its own span."""
    text = json.dumps({**base, "environments": {"dev": patch}}, indent=1)
    document, _ = load(text, "system.yaml")
    assert document is not None

    result, _ = overlay(document, "dev")

    assert result.value == merged(base, patch)
    lines = text.split("\n")
    for key, value in result.value.items():
        span = result.key_span((key,))
        assert lines[span.line - 1][span.column - 1 : span.end_column - 1] == f'"{key}"'
        if isinstance(value, int):
            span = result.value_span((key,))
            assert lines[span.line - 1][span.column - 1 : span.end_column - 1] == str(value)
