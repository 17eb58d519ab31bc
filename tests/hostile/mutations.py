"""Mutates specs randomly, but always in the same way for a given random seed."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from random import Random
from typing import Final, TypeAlias, cast

from modelyard.source import Container, Json
from tests.hostile.nasty import NASTY
from tests.hostile.seeds import Seed, seeds

Edit: TypeAlias = Callable[[Container, "int | str", Random], None]

STRANGE: Final[tuple[Json, ...]] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, 2**64, 10**30, 0.1, -0.0, 1e308, 5e-324, "", " ", "0", "1", "null",
    "~", "no", "on", "1e400", ".nan", ".inf", "0x1f", "1_000", "12:30:45", "2026-01-01", "=", "<<", "*", "&a",
    "!!python/object:os.system", "1Gi", "0Gi", "-1Gi", "999999999999999999Ti", "1e9Gi", "0.0001m", "1m", "0s",
    "1000000w", "0%", "100%", "101%", "1e3%", "0.00000001%", "1 USD", "99999999999999999 USD", "1 XXX", "a@", "@a",
    "a@b@c", "models.", ".a", "a.b.c", "${vars.x}", "${vars.most}", "${", "$${x}", "secret://", "secret://a",
    "secret://a/b#", "secret://a/b#c#d", "L4:1", "L4:0", "L4:1000000", "NOPE:1", "cpu=1", "* * * * *", "0 0 30 2 *",
    "99 99 99 99 99", "Europe/Nowhere", "a" * 300, "x" * 70_000, "é" * 50, "ß", "İ", "\u0430dmin", "\u200b",
    "\U0001f600", "٣", "１", [], {}, [[]], [{}], [None], {"": {}}, {"a": None}, ["a", "a"], [1, "1"],
    {"min": 0, "max": 0}, {"min": 5, "max": 1}, {"cpu": 1, "memory": "1Gi"}, {"min": -1}, {"min": "1", "max": "2"},
)  # fmt: skip


def mutated(seed: Seed, random: Random) -> str:
    """Return the text of a mutated spec."""
    if random.random() < 0.25:
        text = seed.text
        for _ in range(random.choice((1, 1, 1, 2, 5))):
            text = random.choice(TEXT)(text, random)
        return text
    value = copy.deepcopy(seed.value)
    for _ in range(random.choice((1, 1, 1, 1, 2, 3, 8))):
        places = list(_places(value))
        if not places:
            break
        parent, key = random.choice(places)
        random.choices(*_EDITS)[0](parent, key, random)
    return json.dumps(value, ensure_ascii=random.random() < 0.5)


def _places(value: Json) -> Iterator[tuple[Container, int | str]]:
    if isinstance(value, dict):
        for key, child in value.items():
            yield value, key
            yield from _places(child)
    elif isinstance(value, list):
        for at, child in enumerate(value):
            yield value, at
            yield from _places(child)


def _get(parent: Container, key: int | str) -> Json:
    return cast("dict[int | str, Json]", parent)[key]


def _set_item(parent: Container, key: int | str, value: Json) -> None:
    cast("dict[int | str, Json]", parent)[key] = value


# --- mutations of documents


def delete(parent: Container, key: int | str, _random: Random) -> None:
    """Remove a field, an entry or an item."""
    del cast("dict[int | str, Json]", parent)[key]


def duplicate(parent: Container, key: int | str, random: Random) -> None:
    """Copy an entry under another name."""
    value = copy.deepcopy(_get(parent, key))
    if isinstance(parent, list):
        parent.insert(random.randrange(len(parent) + 1), value)
    else:
        parent[random.choice((f"{key}-2", f"{key}2", f"{key}"[:-1], f"{key}-a", "b"))] = value


def retype(parent: Container, key: int | str, random: Random) -> None:
    """Replace a value with a value of a different type."""
    _set_item(parent, key, copy.deepcopy(random.choice(STRANGE)))


def wrap(parent: Container, key: int | str, random: Random) -> None:
    """Put a value into a list or mapping, or replace a list with its first item."""
    value = _get(parent, key)
    if isinstance(value, list) and value and random.random() < 0.7:
        _set_item(parent, key, value[0])
    else:
        wrapped: list[Json] = [[value], [value, value], {"a": value}, str(value)]
        _set_item(parent, key, random.choice(wrapped))


def rename(parent: Container, key: int | str, random: Random) -> None:
    """Misspell or rename a key without changing the order of keys."""
    if isinstance(parent, dict) and isinstance(key, str):
        new = random.choice(
            (_typo(key, random), key.upper(), f" {key}", random.choice(NASTY), random.choice(list(parent)))
        )
        entries = [(new if name == key else name, value) for name, value in parent.items()]
        parent.clear()
        parent.update(entries)


def typo(parent: Container, key: int | str, random: Random) -> None:
    """Add, drop or change a letter."""
    value = _get(parent, key)
    if isinstance(value, str):
        _set_item(parent, key, _typo(value, random))


def number(parent: Container, key: int | str, random: Random) -> None:
    """Change a number or the number in a quantity, by a little or by a lot."""
    value = _get(parent, key)
    if isinstance(value, bool):
        _set_item(parent, key, not value)
    elif isinstance(value, int | float):
        _set_item(
            parent, key, random.choice((value + 1, value - 1, -value, value * 10, value * 1_000_000, value / 3, 0))
        )
    elif isinstance(value, str):
        new = str(random.choice((0, 1, 2, 7, 60, 99, 100, 101, 1000, 10**9, 10**18, "0.5", "1.25", "-1", "")))
        _set_item(parent, key, re.sub(r"\d+(\.\d+)?", new, value, count=1))


def elsewhere(parent: Container, key: int | str, random: Random) -> None:
    """Replace a value with one from the seeds, either any value or that of a field with the same name."""
    pool = _pool().get(str(key)) if random.random() < 0.8 else None
    _set_item(parent, key, copy.deepcopy(random.choice(pool or _anything())))


def graft(parent: Container, _key: int | str, random: Random) -> None:
    """Add a field from a mapping that shares a key, or from any mapping if there is none."""
    if isinstance(parent, dict):
        alike = [child for child in _mappings() if parent.keys() & child.keys()]
        name, value = random.choice(list(random.choice(alike or _mappings()).items()))
        parent[name] = copy.deepcopy(value)


def inject(parent: Container, key: int | str, random: Random) -> None:
    """Insert text that is code in some language before, after or instead of the existing text."""
    value, nasty = _get(parent, key), random.choice(NASTY)
    _set_item(
        parent, key, random.choice((nasty, f"{value}{nasty}", f"{nasty}{value}")) if isinstance(value, str) else nasty
    )


def swap(parent: Container, key: int | str, random: Random) -> None:
    """Swap two values of the spec."""
    keys: list[int | str] = [*range(len(parent))] if isinstance(parent, list) else [*parent]
    other = keys[random.randrange(len(keys))]
    first, second = _get(parent, key), _get(parent, other)
    _set_item(parent, key, second)
    _set_item(parent, other, first)


def huge(parent: Container, key: int | str, random: Random) -> None:
    """Repeat a value very many times."""
    value = _get(parent, key)
    if isinstance(value, list):
        _set_item(parent, key, value * random.choice((10, 300)))
    elif isinstance(value, dict) and value:
        name, child = random.choice(list(value.items()))
        value.update({f"{name}-{at}": copy.deepcopy(child) for at in range(random.choice((10, 60)))})
    else:
        _set_item(parent, key, f"{value}" * random.choice((100, 5000)))


def deep(parent: Container, key: int | str, random: Random) -> None:
    """Nest a value deeply in mappings and lists."""
    for at in range(random.choice((5, 40, 200))):
        inner = _get(parent, key)
        _set_item(parent, key, [inner] if at % 3 else {"a": inner})


_EDITS: Final[tuple[tuple[Edit, ...], tuple[int, ...]]] = (
    (delete, duplicate, retype, wrap, rename, typo, number, elsewhere, graft, inject, swap, huge, deep),
    (5, 4, 3, 2, 3, 3, 6, 8, 6, 5, 2, 1, 1),
)


def _typo(text: str, random: Random) -> str:
    at = random.randrange(len(text) + 1)
    letter = random.choice("abcxyz0189-_./:@# é")
    return random.choice(
        (text[:at] + letter + text[at:], text[:at] + text[at + 1 :], text[:at] + letter + text[at + 1 :])
    )


@lru_cache(maxsize=1)
def _pool() -> dict[str, list[Json]]:
    by_key: dict[str, list[Json]] = {}
    for seed in seeds():
        for parent, key in _places(seed.value):
            by_key.setdefault(str(key), []).append(_get(parent, key))
    return by_key


@lru_cache(maxsize=1)
def _anything() -> list[Json]:
    return [value for values in _pool().values() for value in values]


@lru_cache(maxsize=1)
def _mappings() -> list[dict[str, Json]]:
    return [value for value in _anything() if isinstance(value, dict) and value]


# --- mutations of text

_NOISE: Final = (
    "\t", " ", "  ", "\n", "\r", "\r\n", ":", ": ", "- ", "-", "#", " #", "'", '"', "[", "]", "{", "}", ",", "&a ",
    "*a", "<<: ", "!", "!!str ", "|", ">", "|2", ">-", "%", "%YAML 1.1\n", "---", "--- ", "...", "?", "? ", "@", "`",
    "\\", "\\x", "\x00", "\x07", "\x1b", "\x7f", "\x85", "\u2028", "\u202e", "\ufeff", "\ud800", "\U0010ffff", "é",
    "no", "~", "0x", "0o7", ".inf", "99999999999999999999", "//", "/*",
)  # fmt: skip


def insert(text: str, random: Random) -> str:
    """Insert a piece of syntax where it does not belong."""
    at = random.randrange(len(text) + 1)
    return text[:at] + random.choice(_NOISE) + text[at:]


def cut(text: str, random: Random) -> str:
    """Remove a piece of the text."""
    at = random.randrange(len(text) + 1)
    return text[:at] + text[at + random.choice((1, 1, 2, 10, 200)) :]


def truncate(text: str, random: Random) -> str:
    """Truncate the text."""
    return text[: random.randrange(len(text) + 1)]


def lines(text: str, random: Random) -> str:
    """Duplicate, move or reindent a line."""
    rows = text.splitlines(keepends=True) or [""]
    at, to = random.randrange(len(rows)), random.randrange(len(rows))
    kind = random.randrange(4)
    if kind == 0:
        rows.insert(to, rows[at])
    elif kind == 1:
        rows.insert(to, rows.pop(at))
    elif kind == 2:
        rows[at] = " " * random.choice((1, 2, 4)) + rows[at]
    else:
        rows[at] = rows[at].replace("  ", random.choice(("\t", " ", "")), 1)
    return "".join(rows)


def exchange(text: str, random: Random) -> str:
    """Replace a character with a random piece of syntax."""
    at = random.randrange(len(text) + 1)
    return text[:at] + random.choice(_NOISE) + text[at + 1 :]


def alias(text: str, random: Random) -> str:
    """Anchor a value and replace other values with its alias."""
    matches = list(re.finditer(r"(?<=: )[\w.-]+", text))
    if len(matches) < 2:
        return text
    anchor, *aliases = sorted(
        random.sample(matches, min(len(matches), random.choice((2, 2, 5)))), key=lambda match: match.start()
    )
    for other in reversed(aliases):
        text = text[: other.start()] + random.choice(("*x", "*y", "*x ")) + text[other.end() :]
    return text[: anchor.start()] + "&x " + text[anchor.start() :]


def bomb(text: str, random: Random) -> str:
    """Add nested aliases at the beginning so that a short text expands to a huge number of values."""
    width = random.choice((3, 10, 100))
    rows = ["b0: &b0 [a]"]
    rows += [f"b{at}: &b{at} [{', '.join([f'*b{at - 1}'] * width)}]" for at in range(1, random.choice((3, 9, 30)))]
    return "\n".join([*rows, text])


TEXT: Final = (insert, insert, cut, truncate, lines, lines, lines, exchange, exchange, alias, bomb)
