"""Conditions for role assignments, which limit a role on a container to some of its folders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import pulumi

from .roles import ACTIONS, BLOBS, READ, Mode

_LIST = "SubOperationMatches{'Blob.List'}"
_LONGEST = 8192
"""The maximum size of a condition in bytes.

Source: https://learn.microsoft.com/en-us/azure/role-based-access-control/troubleshoot-limits, 2026-11-27.
"""


def below(prefixes: Sequence[str], mode: Mode) -> str:
    """Return a condition that limits a mode's actions to the given folders, or files with exactly those names.

    `lake` doesn't include `lake-2/`, although that name starts with `lake`. A listing has to use a folder as its
    prefix, including the slash. A folder's own name may also be requested, so the response is 404 instead of 403 if no
    blob has this name. Raises RunError for a prefix that can't be written in a condition, or if there are too many
    prefixes for one condition. Source:
    https://learn.microsoft.com/en-us/azure/storage/blobs/storage-auth-abac-examples, 2026-11-27.
    """
    names = sorted({prefix.strip("/") for prefix in prefixes})
    condition = f"({_not(_blob_actions(mode))} OR ({_like('Resource', 'path', _paths(names))}))"
    if READ in ACTIONS[mode]:
        condition += f" AND ({_not([_when(READ, _LIST)])} OR ({_like('Request', 'prefix', _listings(names))}))"
    if len(condition.encode()) > _LONGEST:
        raise pulumi.RunError(f"{len(names)} folders, from {names[0]} on, do not fit into one condition of Azure")
    return condition


def _blob_actions(mode: Mode) -> Iterator[str]:
    """Yield a mode's actions on a blob, excluding listing."""
    for action in ACTIONS[mode]:
        yield _when(action, f"NOT {_LIST}") if action == READ else f"ActionMatches{{'{action}'}}"


def _when(action: str, suboperation: str) -> str:
    return f"ActionMatches{{'{action}'}} AND {suboperation}"


def _not(matches: Iterable[str]) -> str:
    """Negate the matches, since a condition must also be true for actions it doesn't apply to."""
    return f"({' AND '.join(f'!({match})' for match in matches)})"


def _like(source: str, attribute: str, patterns: Iterable[str]) -> str:
    texts = ", ".join(f"'{pattern}'" for pattern in patterns)
    return f"@{source}[{BLOBS}:{attribute}] ForAnyOfAnyValues:StringLike {{{texts}}}"


def _paths(names: Sequence[str]) -> Iterator[str]:
    for name in names:
        yield _escaped(name)
        yield f"{_escaped(name)}/*"


def _listings(names: Sequence[str]) -> Iterator[str]:
    for name in names:
        yield f"{_escaped(name)}/"
        yield f"{_escaped(name)}/*"


def _escaped(name: str) -> str:
    if any(sign in name for sign in "'\\\n"):
        raise pulumi.RunError(f"{name}: this would end a string in a condition")
    return name.replace("*", r"\*").replace("?", r"\?")
