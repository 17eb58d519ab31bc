"""Evaluates conditions in role assignments.

Supports the subset of Azure's condition language that limits roles to folders.

Source: https://learn.microsoft.com/en-us/azure/role-based-access-control/conditions-format, 2026-11-27.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"
LIST = "Blob.List"

_TOKEN = re.compile(r"\s*(\(|\)|!|\{|\}|,|'(?:[^'\\]|\\.)*'|@\w+\[[^\]]+\]|[\w:]+)")


@dataclass(frozen=True, slots=True)
class Request:
    """The request properties a condition can check.

    These are the action, the suboperation, and attributes such as `Resource` `path`.
    """

    action: str
    suboperation: str = ""
    attributes: dict[str, str] = field(default_factory=dict[str, str])


def holds(condition: str, request: Request) -> bool:
    """Return whether a request meets a condition. Raises ValueError for a condition that it cannot parse."""
    parser = _Parser(_tokens(condition), request)
    result = parser.any_of()
    if parser.rest:
        raise ValueError(f"{parser.rest[0]} is not expected in {condition}")
    return result


def _tokens(condition: str) -> list[str]:
    tokens: list[str] = []
    at = 0
    while at < len(condition.rstrip()):
        matched = _TOKEN.match(condition, at)
        if matched is None:
            raise ValueError(f"the condition cannot be read from {condition[at:]!r} on")
        tokens.append(matched[1])
        at = matched.end()
    return tokens


class _Parser:
    def __init__(self, tokens: list[str], request: Request) -> None:
        self.rest = tokens
        self._request = request

    def any_of(self) -> bool:
        results = [self._all_of()]
        while self.rest and self.rest[0] == "OR":
            self.rest.pop(0)
            results.append(self._all_of())
        return any(results)

    def _all_of(self) -> bool:
        results = [self._single()]
        while self.rest and self.rest[0] == "AND":
            self.rest.pop(0)
            results.append(self._single())
        return all(results)

    def _single(self) -> bool:
        token = self.rest.pop(0)
        if token in {"!", "NOT"}:
            return not self._single()
        if token == "(":
            result = self.any_of()
            self._expect(")")
            return result
        if token == "ActionMatches":
            return self._texts() == [self._request.action]
        if token == "SubOperationMatches":
            return self._texts() == [self._request.suboperation]
        if token.startswith("@"):
            return self._like(token)
        raise ValueError(f"{token} is not expected in a condition")

    def _like(self, attribute: str) -> bool:
        self._expect("ForAnyOfAnyValues:StringLike")
        patterns = self._texts()
        value = self._request.attributes.get(attribute.replace(f"[{BLOBS}", "["))
        return value is not None and any(_pattern(pattern).fullmatch(value) for pattern in patterns)

    def _texts(self) -> list[str]:
        self._expect("{")
        texts = [self.rest.pop(0)[1:-1]]
        while self.rest[0] == ",":
            self.rest.pop(0)
            texts.append(self.rest.pop(0)[1:-1])
        self._expect("}")
        return texts

    def _expect(self, token: str) -> None:
        if self.rest.pop(0) != token:
            raise ValueError(f"{token} is expected in a condition")


def _pattern(text: str) -> re.Pattern[str]:
    """Translate a wildcard pattern. `*` matches any text and `?` any character, unless escaped with a backslash."""
    parts = re.findall(r"\\.|[*?]|[^\\*?]+", text)
    wild = {"*": ".*", "?": "."}
    return re.compile("".join(wild.get(part) or re.escape(part.removeprefix("\\")) for part in parts), re.DOTALL)
