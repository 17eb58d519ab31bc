"""Check the approvers' public keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics.check import approvers as problems
from modelyard.provider import Rule
from modelyard.public_keys import NotAKey, public_key
from modelyard.spec import System


def approvers(system: System) -> Iterator[Diagnostic]:
    """Require approvers' public keys to be valid and unique, and each person to be in a single group."""
    group_by_key: dict[bytes, str] = {}
    group_by_person: dict[str, str] = {}
    for group in system.governance.approvers:
        for place, line in enumerate(group.ssh_keys):
            span = system.at("governance", "approvers", group.name, "sshKeys", place)
            try:
                key = public_key(line)
            except NotAKey as problem:
                yield problems.key_unusable(span, group.name, str(problem))
                continue
            if key.body in group_by_key:
                other = group_by_key[key.body]
                same = other == group.name
                yield problems.key_twice(span, other) if same else problems.key_of_two_groups(span, group.name, other)
                continue
            group_by_key[key.body] = group.name
            person = key.comment.partition(" ")[0]
            if person and group_by_person.setdefault(person, group.name) != group.name:
                yield problems.person_of_two_groups(span, person, group.name, group_by_person[person])


RULES: Final[tuple[Rule, ...]] = (approvers,)
