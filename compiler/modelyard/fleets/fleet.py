"""A checked group of sites: its kinds of sites, and the plan for each kind."""

from __future__ import annotations

from collections.abc import Mapping

from modelyard.plan import Plan
from modelyard.records import field, record
from modelyard.sites.binding import Binding
from modelyard.sites.groups import Group, Scalar


@record
class Kind:
    """Sites of a group that have equal values in every column that affects more than strings in the output.

    `rows` holds the sites' positions in the group. `plan` has markers in place of their values in other columns.
    """

    name: str
    values: Mapping[str, Scalar]
    rows: tuple[int, ...] = field(repr=False)
    plan: Plan | None = field(repr=False)


@record
class Fleet:
    """A site group, its kinds of sites, and the binding whose markers the plans contain."""

    group: Group
    number: int
    binding: Binding
    kinds: tuple[Kind, ...]
