"""Plan a single site of a target, with the names that its resources have in Pulumi."""

from __future__ import annotations

import json

from modelyard.hashing import sha256
from modelyard.plan import Plan
from modelyard.review.site_systems import mapped
from modelyard.sites.binding import DIGEST, filled
from modelyard.stages import Outcome

_DIGITS = 10
"""The length of hashes of site values, as in `stacks/modelyard_stacks/documents.py`."""


def plan_at_site(outcome: Outcome, target: str, site: str) -> Plan | None:
    """Return the plan for a site with its values, or None if the outcome does not have the site."""
    fleet = next((fleet for fleet in outcome.fleets if fleet.group.name == target), None)
    if fleet is None or site not in fleet.group.names:
        return None
    row, marked = fleet.group.names.index(site), fleet.binding.marked
    plan = next(kind.plan for kind in fleet.kinds if row in kind.rows)

    def value(kind: str, columns: tuple[str, ...]) -> str:
        values = [str(fleet.group.value(row, column)) for column in columns]
        return sha256(json.dumps(values).encode()).hexdigest()[:_DIGITS] if kind == DIGEST else values[0]

    return None if plan is None else mapped(plan, lambda text: filled(text, {marked.group: marked}, value))
