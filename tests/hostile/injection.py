"""Puts code-like strings into every spec field that accepts them, and inspects the output."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final, cast

import jsonschema_rs

from modelyard.api import compile_text
from modelyard.source import Json, Path
from tests.hostile.seeds import Seed
from tests.hostile.structure import differences
from tests.schemas.walk import SYSTEM

FORMS: Final = ("zq{0}x", "zq{0}x zq", "zq{0}x.zq", "https://zq{0}x.example", "zq{0}x:zq", "#zq{0}x")
"""Harmless strings, which mean nothing in any language, in every format that a field may require. The first one that
fits a field is used.
"""


@dataclass(frozen=True, slots=True)
class Place:
    """A replaceable string in a spec. If it is a mapping key, its path ends with `?`."""

    path: Path
    harmless: str

    @property
    def is_key(self) -> bool:
        """Return whether this string is a user-defined key of a mapping entry."""
        return self.path[-1] == "?"


@lru_cache(maxsize=1)
def _fits() -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(SYSTEM, pattern_options=jsonschema_rs.RegexOptions())


def fits(value: Json) -> bool:
    """Return whether the spec fits the schema. Otherwise, no later stage runs."""
    try:
        return _fits().is_valid(value)
    except ValueError:  # a lone surrogate, which loaded text cannot contain
        return False


def compiled(value: Json) -> Mapping[str, bytes]:
    """Return the output of a spec, or an empty mapping if the compiler refuses the spec."""
    return _output(json.dumps(value))


@lru_cache(maxsize=64)
def _output(text: str) -> Mapping[str, bytes]:
    """Compile a spec, or return the output of one of the last specs, because most are needed again soon."""
    return MappingProxyType(dict(compile_text(text).files))


def filled(value: dict[str, Json], words: Mapping[Place, str]) -> dict[str, Json]:
    """Return the spec with the given strings inserted. Keys are replaced last, deepest first, to keep paths valid."""
    changed: Json = value
    for place, word in sorted(words.items(), key=lambda item: (item[0].is_key, -len(item[0].path))):
        changed = _with(changed, place.path, word)
    return cast("dict[str, Json]", changed)


def _with(value: Json, path: Path, word: str) -> Json:
    """Return a copy of `value` with the given string at the path, sharing all other values with the original."""
    if len(path) == 2 and path[-1] == "?":
        entries = cast("dict[str, Json]", value)
        return {word if name == path[0] else name: child for name, child in entries.items()}
    if not path:
        return word
    if isinstance(value, list):
        return [_with(child, path[1:], word) if at == path[0] else child for at, child in enumerate(value)]
    changed = dict(cast("dict[str, Json]", value))
    step = cast("str", path[0])
    changed[step] = _with(changed[step], path[1:], word)
    return changed


@lru_cache
def places(seed: Seed) -> tuple[Place, ...]:
    """Return every string of the spec that a harmless word can replace."""
    value = seed.alone()
    fitting = (_fitting(value, path, number) for number, path in enumerate(_texts(value)))
    return tuple(place for place in fitting if place is not None and compiled(filled(value, {place: place.harmless})))


def _fitting(value: dict[str, Json], path: Path, number: int) -> Place | None:
    """Return the string at a path with its harmless replacement, i.e. the first form to fit the schema there.

    Later stages treat all forms alike.
    """
    candidates = (Place(path, form.format(number)) for form in FORMS)
    return next((place for place in candidates if fits(filled(value, {place: place.harmless}))), None)


def _texts(value: Json, path: Path = ()) -> Iterator[Path]:
    if isinstance(value, str):
        yield path
    elif isinstance(value, dict):
        for key, child in value.items():
            yield (*path, key, "?")
            yield from _texts(child, (*path, key))
    elif isinstance(value, list):
        for at, child in enumerate(value):
            yield from _texts(child, (*path, at))


def taking(seed: Seed, nasty: str) -> dict[Place, str]:
    """Return the places that accept a nasty string, alone or after a harmless word, each with its accepted string."""
    value = seed.alone()
    accepted: dict[Place, str] = {}
    for place in places(seed):
        if place.is_key and place.path[-4:-2] == ("sites", "values"):
            continue  # a site's name determines its wave
        # Names are sorted by their first letter, two pools with one name are one pool, and a Gateway or proxies in the
        # system's namespace are the system's own. In these cases, a harmless word precedes the string.
        alone = () if place.is_key or place.path[-1] in {"pool", "namespace", "proxies"} else (nasty,)
        for word in (*alone, f"{place.harmless}{nasty}"):
            if fits(filled(value, {place: word})):
                accepted[place] = word
                break
    return _accepted(value, accepted)


def _accepted(value: dict[str, Json], words: dict[Place, str]) -> dict[Place, str]:
    """Return the strings that later stages accept as well, bisecting to find the refused ones."""
    if not words or compiled(filled(value, words)):
        return words
    if len(words) == 1:
        return {}
    halves = list(words.items())
    middle = len(halves) // 2
    left, right = _accepted(value, dict(halves[:middle])), _accepted(value, dict(halves[middle:]))
    return {**left, **right} if compiled(filled(value, {**left, **right})) else max(left, right, key=len)


def problems(seed: Seed, nasty: str) -> list[str]:
    """Return where in the output a nasty string changes more than data."""
    words = taking(seed, nasty)
    if not words:
        return []
    value = seed.alone()
    before = compiled(filled(value, {place: place.harmless for place in words}))
    after = compiled(filled(value, words))
    assert before, f"the harmless words are refused beside each other: {sorted(place.path[-1] for place in words)}"
    assert after, f"{nasty!r} is refused where it was taken before"
    return list(differences(before, after, {place.harmless: word for place, word in words.items()}))
