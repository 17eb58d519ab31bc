"""Tests that the YAML writer's output looks handwritten, and that any parser reads back the same data."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from modelyard.stack import Value
from modelyard.writers.yaml_text import comment, document, documents, scalar

LOADERS: list[Any] = [yaml.SafeLoader, *([yaml.CSafeLoader] if yaml.__with_libyaml__ else [])]

WORDS = [
    "y", "n", "yes", "no", "on", "off", "true", "false", "null", "none", "~", "nan", "inf", ".inf", "-.inf",
    ".nan", "-inf", "Infinity", "=", "<<", "?", "-", ":", "#", "!", "&", "*", "|", ">", "%", "@", "`", "{", "}",
    "[", "]", ",", "'", "\"",
]  # fmt: skip
NUMBERS = [
    "0", "-1", "+1", "007", "0777", "0o7", "0x1F", "0b11", "1e3", "1E3", "1.5", ".5", "5.", "1.e+3", "+1.5",
    "1_000", "1,000", "22:22", "190:20:30", "190:20:30.15", "1.2.3", "12e45", "2001-01-01",
    "2001-12-14t21:59:43.10-05:00", "2001-12-14T21:59:43Z", "12:30", "0d1", "1e", "1e+", "0x", "0o", "0b", "_1",
    "1_",
]  # fmt: skip
STRUCTURE = [
    "", " ", " a", "a ", "a: b", "a:", ":a", "a #b", "a#b", "#a", "- a", "-a", "--- a", "---", "...", "--", "-",
    "? a", "?a", "a\tb", "\ta", "{a: b}", "[a]", "a, b", "it's", 'say "it"', "C:\\x", "\\", "a\nb", "a\nb\n",
    "a\nb\n\n", "\n", "\n\n", "\na", " a\nb", "a\n b", "a\n  \nb", "a\n\n", "a\n ", "a \nb", "\n a\nb", "a\tb\nc",
    "\ta\nb", "a\n\tb", "a\r\nb", "a\rb", "a\x85b", "a\u2028b\nc", "a\u2029b", "\ufeffa", "a\ufeff", "a\x00b",
    "a\x7f", "\x1b[31m", "\u202eabc", "\U000e0041", "\ufffe", "\uffff", "Zürich", "日本\n語", "🙂", "---\na",
    "a\n---\nb", "a\n...\nb", "# a\nb", "%YAML 1.1\n---", "!!python/object/apply:os.system [id]", "&a b", "*a", "| a",
    "> a", "@a", "`a`", "%a", "'a'", '"a"', "a'\\", "<<", "=", "x" * 2000, "x: " * 600, "-y", "--no", "None", "NO",
    "Off", "1.36", "16Gi", "500m", "10.0.0.0/8", "secret://vault/a#b",
]  # fmt: skip
NASTY = [*WORDS, *(word.upper() for word in WORDS), *(word.title() for word in WORDS), *NUMBERS, *STRUCTURE]

texts = st.text(st.characters(exclude_categories=["Cs"])) | st.text(
    "ab \n\t:#-'\"\\{}[],&*!|>?%@`~=<0123456789.eE_xo\r\x85\u2028\ufeff", max_size=12
)
strings = texts | st.sampled_from(NASTY)
numbers = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | strings,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(strings, inner, max_size=4),
    max_leaves=20,
)


def read(text: str) -> list[object]:
    """Return the value each loader reads from a text.

    Comparisons include types, so 1, True and 1.0 differ.
    """
    return [yaml.load(text, loader) for loader in LOADERS]


def same(left: object, right: object) -> bool:
    """Return whether two values are equal, including types and key order."""
    return repr(left) == repr(right)


@given(values)
@example({"a": {"b": [[], {}, [[]], [{}], [["x"], {"y": [1]}]]}})
@example([[["a", {"b": {"c": "d\ne"}}], "f\ng\n\n"], {"h": "i\n"}])
@example({"k" * 1100: {"k" * 1100: ["a\nb", {"k" * 1100: "v"}]}})
def test_pyyaml_reads_back_the_same_data(value: Value) -> None:
    """Both of PyYAML's parsers (YAML 1.1) read the same data, including types and order."""
    text = document(value)

    assert all(same(parsed, value) for parsed in read(text)), text


@given(values)
def test_our_own_loader_reads_back_the_same_data(value: Value) -> None:
    """Our YAML 1.2 loader reads back every value that a spec can have."""
    load = pytest.importorskip("modelyard.load").load
    loaded, diagnostics = load(document({"value": value}), "spec.yaml")

    if loaded is None:
        assert diagnostics
    else:
        assert same(loaded.value["value"], value)


@pytest.mark.parametrize("place", ["value", "key", "item", "top"])
def test_hostile_text_stays_text(place: str) -> None:
    """Wherever they occur, keywords, numbers, dates and YAML syntax are read back as text."""
    for text in NASTY:
        value: dict[str, Value] = {
            "value": {"a": text, "b": 1},
            "key": {text: {"c": text}, text + "x": 1},
            "item": [[text, text], {"a": [text]}],
            "top": text,
        }

        assert all(same(parsed, value[place]) for parsed in read(document(value[place]))), text


def test_ambiguous_words_are_quoted() -> None:
    """Words that YAML 1.1 and 1.2 read differently are quoted."""
    for text in {*WORDS, *NUMBERS} - {"none", "_1"}:
        assert all(scalar(spelled)[0] in "\"'" for spelled in (text, text.upper(), text.title())), text


@pytest.mark.parametrize(
    "text",
    [
        "ghcr.io/acme/train:1.8.2",
        "16Gi",
        "500m",
        "10.0.0.0/8",
        "--address=0.0.0.0",
        "-c",
        "Fraud scores, every night",
        "/var/lib",
        "http://a.b:80/c",
        "2Gi",
    ],
)
def test_ordinary_text_stays_plain(text: str) -> None:
    """Text that people write without quotes is printed without quotes."""
    assert scalar(text) == text


def test_the_layout_is_that_of_kubectl() -> None:
    """Lists begin in their key's column, scripts and rules are blocks, and keys keep their order."""
    value: dict[str, Value] = {
        "kind": "Pod",
        "spec": {
            "containers": [{"name": "a", "args": ["-c", "x: y"], "env": []}, {"name": "b", "resources": {}}],
            "script": "set -e\n\n# go\nrun 'it'\n",
            "expr": "a\n  > 1",
            "kept": "a\n\n",
            "pairs": [["a", 1], [True, None]],
            "json": '{"a": 1}',
            "zone": "Zürich",
            "tiny": 1e-07,
        },
    }

    assert document(value) == (
        "kind: Pod\n"
        "spec:\n"
        "  containers:\n"
        "  - name: a\n"
        "    args:\n"
        "    - -c\n"
        '    - "x: y"\n'
        "    env: []\n"
        "  - name: b\n"
        "    resources: {}\n"
        "  script: |\n"
        "    set -e\n"
        "\n"
        "    # go\n"
        "    run 'it'\n"
        "  expr: |-\n"
        "    a\n"
        "      > 1\n"
        "  kept: |+\n"
        "    a\n"
        "\n"
        "  pairs:\n"
        "  - - a\n"
        "    - 1\n"
        "  - - true\n"
        "    - null\n"
        "  json: '{\"a\": 1}'\n"
        '  zone: "Zürich"\n'
        "  tiny: 1.0e-07\n"
    )


def test_invisible_characters_are_escaped() -> None:
    """No character can reorder, hide or break a line for a reviewer."""
    text = document({"a\u202eb": "x\u200by\nz\x85\u2028\ufeff\U000e0041"})

    assert text == '"a\\u202eb": "x\\u200by\\nz\\u0085\\u2028\\ufeff\\U000e0041"\n'


def test_mappings_tuples_and_enums_are_printed_as_plain_data() -> None:
    """Frozen mappings, tuples and text enums are printed as the plain data they represent."""

    class Mode(StrEnum):
        CLOUD = "cloud"
        NO = "no"

    value: Mapping[str, Value] = MappingProxyType({"a": (Mode.CLOUD, Mode.NO), "b": MappingProxyType({"c": ()})})

    assert document(value) == 'a:\n- cloud\n- "no"\nb:\n  c: []\n'


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), "\ud800", {"\udfff": 1}, ["a\n\ud800"]])
def test_values_that_yaml_lacks_are_refused(value: Value) -> None:
    """NaN, infinity and lone surrogates are never written to a file."""
    with pytest.raises(ValueError, match=r"plain data|surrogate"):
        document(value)


@pytest.mark.parametrize("value", [{1: 2}, {"a": object()}, {"a": {"b"}}, b"bytes", [b"bytes"]])
def test_yaml_text_accepts_only_plain_data(value: Value) -> None:
    """Non-string keys, sets, bytes and objects are bugs in modelyard and raise an exception."""
    with pytest.raises(TypeError, match=r"plain data|key is text"):
        document(value)


def test_documents_are_separated() -> None:
    """Objects in one file are separated by `---`, and the first line may be a comment."""
    text = comment("Written by us") + documents([{"a": 1}, {"b": "x\n\n"}, {"c": 2}])

    assert text == "# Written by us\na: 1\n---\nb: |+\n  x\n\n---\nc: 2\n"
    assert list(yaml.safe_load_all(text)) == [{"a": 1}, {"b": "x\n\n"}, {"c": 2}]


@pytest.mark.parametrize("text", ["a\nb", "a\rb", "a\u2028b", "a\x85b", "\ud800"])
def test_a_comment_stays_on_one_line(text: str) -> None:
    """No text can end a comment early."""
    with pytest.raises(ValueError, match="one line"):
        comment(text)
