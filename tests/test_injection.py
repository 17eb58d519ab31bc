"""Tests that code-like strings in one system's spec stay data. tests/real has more systems and more strings."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hostile.injection import compiled, filled, places, problems, taking
from tests.hostile.nasty import NASTY, WORST
from tests.hostile.seeds import seeds
from tests.hostile.structure import differences

CARDS = next(seed for seed in seeds() if seed.name == "fraud-detection")


@pytest.mark.parametrize("nasty", WORST)
def test_code_like_strings_stay_data(nasty: str) -> None:
    """Files, documents, programs and expressions differ from those for a harmless string only in the string."""
    assert problems(CARDS, nasty) == []


def test_many_places_accept_strings() -> None:
    """The other tests would be meaningless if few places in a spec accepted strings."""
    assert len(places(CARDS)) > 50
    assert {"description", "team", "purpose"} <= {str(place.path[-1]) for place in places(CARDS)}
    assert set(WORST) <= set(NASTY)


@pytest.mark.parametrize(
    ("path", "left", "right"),
    [
        ("a.yaml", "a: zq\n", "a: b\nc: d\n"),
        ("a.yaml", "a: zq\n", "a: {b: c}\n"),
        ("a.yaml", "a: [zq]\n", "a: [b, c]\n"),
        ("a.yaml", "a: 1\n", "a: 2\n"),
        ("a.yaml", "expr: x{a=\"zq\"}\n", "expr: x{a=\"b\"} or vector(1)\n"),
        ("a.yaml", "spec: {entrypoint: run zq}\n", "spec: {entrypoint: run $(id)}\n"),
        ("a.py", "print('zq')\n", "print('b'); import os\n"),
        ("a.md", "zq\n", "<b>b</b>\n"),
        ("a.md", "zq\n", "[a](https://b.example)\n"),
        ("a.txt", "zq\n", "b\nc\n"),
    ],
)  # fmt: skip
def test_the_comparison_detects_injected_structure(path: str, left: str, right: str) -> None:
    assert list(differences({path: left.encode()}, {path: right.encode()}, {"zq": "b"}))


@pytest.mark.parametrize("nasty", ["../../x", "a/../../b", "..", "/etc/passwd", "a\x00b", "a\nb"])
def test_code_like_strings_cannot_escape_a_folder(nasty: str) -> None:
    """Every string that becomes part of a path stays inside the output folder."""
    for path in compiled(filled(CARDS.alone(), taking(CARDS, nasty))):
        assert not Path(path).is_absolute()
        assert ".." not in Path(path).parts
        assert "\x00" not in path
        assert "\n" not in path
