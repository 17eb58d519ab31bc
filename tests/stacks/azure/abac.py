"""Evaluates what an identity may do with blobs, based on the registered role assignments, roles and conditions.

Role assignments can only allow. An action is denied unless an assignment whose condition is true allows it. The
conditions are written in the language of
https://learn.microsoft.com/en-us/azure/role-based-access-control/conditions-format. Only the parts of this language
that our conditions use are supported, and anything else is an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.stacks.aws.programs import Resources, inputs, of

ASSIGNMENT = "azure-native:authorization:RoleAssignment"
DEFINITION = "azure-native:authorization:RoleDefinition"
IDENTITY = "azure-native:managedidentity:UserAssignedIdentity"
BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"
LIST = "Blob.List"

_LONGEST = 8192
_TOKEN = re.compile(
    r"\s*(?:(?P<sign>[()!])|(?P<word>AND|OR|NOT)\b"
    r"|(?P<function>ActionMatches|SubOperationMatches)\{'(?P<argument>[^'\\]+)'\}"
    r"|@(?P<source>Resource|Request)\[(?P<attribute>[^\]]+)\] ForAnyOfAnyValues:StringLike \{(?P<values>[^}]*)\})"
)
_VALUE = re.compile(r"'((?:[^'\\]|\\[*?])*)'(?:, |$)")


@dataclass(frozen=True, slots=True)
class Request:
    """An operation on a blob, or a request to list the blobs with a prefix."""

    action: str
    path: str | None = None
    prefix: str | None = None

    @property
    def suboperation(self) -> str:
        """The suboperation, by which conditions distinguish requests with the same action."""
        return LIST if self.prefix is not None else ""

    def attribute(self, source: str, name: str) -> str | None:
        """Return the value of an attribute that a condition may compare."""
        return {f"Resource {BLOBS}:path": self.path, f"Request {BLOBS}:prefix": self.prefix}[f"{source} {name}"]


@dataclass(frozen=True, slots=True)
class Workload:
    """A workload's identity, and its permissions in a container."""

    resources: Resources
    principal: str
    container: str

    def may(self, action: str, path: str) -> bool:
        """Return whether the workload may perform an action on a blob: `read`, `write`, `add/action` or `delete`."""
        return self._may(Request(f"{BLOBS}/{action}", path=path))

    def may_list(self, prefix: str) -> bool:
        """Return whether the workload may list blobs whose names start with `prefix`."""
        return self._may(Request(f"{BLOBS}/read", prefix=prefix))

    def assignments(self) -> Iterator[dict[str, Any]]:
        """Yield the workload's role assignments on the container."""
        for each in of(self.resources, ASSIGNMENT).values():
            assignment = each["inputs"]
            if assignment["principalId"] == self.principal and assignment["scope"].endswith(
                f"/containers/{self.container}"
            ):
                yield assignment

    def _may(self, request: Request) -> bool:
        return any(
            request.action in data_actions(self.resources, each["roleDefinitionId"])
            and holds(each.get("condition"), request)
            for each in self.assignments()
        )


def data_actions(resources: Resources, role_id: str) -> list[str]:
    """Return the data actions allowed by a role in the program. The role must not allow any other actions."""
    guid = role_id.rpartition("/")[2]
    (role,) = (
        each["inputs"] for each in of(resources, DEFINITION).values() if each["inputs"]["roleDefinitionId"] == guid
    )
    (permission,) = role["permissions"]
    assert not permission["actions"]
    assert not permission["notActions"]
    assert not permission["notDataActions"]
    actions: list[str] = permission["dataActions"]
    return actions


def principal(resources: Resources, name: str) -> str:
    """Return the object ID of an identity created by a program."""
    assert inputs(resources, IDENTITY, name)["resourceGroupName"]
    (credential,) = (
        each["inputs"]
        for each in of(resources, "azure-native:managedidentity:FederatedIdentityCredential").values()
        if each["name"] == name
    )
    assert credential["resourceName"] == name
    identifier: str = next(
        each["inputs"]["principalId"]
        for title, each in of(resources, ASSIGNMENT).items()
        if title.startswith(f"{name}-")
    )
    return identifier


def holds(condition: str | None, request: Request) -> bool:
    """Evaluate a condition. AND and OR must not be mixed without parentheses."""
    if condition is None:
        return True
    assert len(condition.encode()) <= _LONGEST
    tokens = list(_tokens(condition))
    value, rest = _expression(tokens, request)
    assert not rest, rest[0]
    return value


def _tokens(text: str) -> Iterator[re.Match[str]]:
    at = 0
    while at < len(text):
        matched = _TOKEN.match(text, at)
        assert matched is not None, text[at:]
        yield matched
        at = matched.end()


def _expression(tokens: list[re.Match[str]], request: Request) -> tuple[bool, list[re.Match[str]]]:
    value, rest = _term(tokens, request)
    operators: set[str] = set()
    while rest and rest[0]["word"] in {"AND", "OR"}:
        operators.add(rest[0]["word"])
        other, rest = _term(rest[1:], request)
        value = (value and other) if operators == {"AND"} else (value or other)
    assert len(operators) < 2, "AND and OR without parentheses"
    return value, rest


def _term(tokens: list[re.Match[str]], request: Request) -> tuple[bool, list[re.Match[str]]]:
    first, rest = tokens[0], tokens[1:]
    if first["sign"] == "(":
        value, rest = _expression(rest, request)
        assert rest
        assert rest[0]["sign"] == ")"
        return value, rest[1:]
    if first["sign"] == "!" or first["word"] == "NOT":
        value, rest = _term(rest, request)
        return not value, rest
    if first["function"]:
        compared = request.action if first["function"] == "ActionMatches" else request.suboperation
        return compared == first["argument"], rest
    assert first["source"], first[0]
    attribute = request.attribute(first["source"], first["attribute"])
    values = _VALUE.findall(first["values"])
    assert ", ".join(f"'{value}'" for value in values) == first["values"]
    return attribute is not None and any(_is_like(attribute, value) for value in values), rest


def _is_like(text: str, pattern: str) -> bool:
    """Match a wildcard pattern, where `*` is any text, `?` is any character, and both may be escaped."""
    parts = re.findall(r"\\[*?]|[*?]|[^\\*?]+", pattern)
    wild = {"*": ".*", "?": "."}
    expression = "".join(wild.get(part) or re.escape(part.removeprefix("\\")) for part in parts)
    return re.fullmatch(expression, text, re.DOTALL) is not None
