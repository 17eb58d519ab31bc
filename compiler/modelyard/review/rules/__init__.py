"""Select one rule to judge each change: the first matching its path, or the one for its field's topic."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from itertools import chain
from typing import Final

from modelyard.review.changes import Change
from modelyard.review.rules import (
    adapters,
    budget,
    captured,
    data,
    egress,
    gateways,
    guards,
    head_state,
    images,
    meanings,
    overrides,
    placement,
    platform,
    serving,
    storage,
    training,
    watching,
    waves,
)
from modelyard.review.rules.base import Rule, matches

ENTRIES: Final[tuple[Rule, ...]] = (
    *serving.ENTRIES,
    *training.ENTRIES,
    *watching.ENTRIES,
    *data.ENTRIES,
    *storage.ENTRIES,
    *platform.ENTRIES,
    *overrides.ENTRIES,
)
"""The rules for entries in a section that are new or removed."""

RULES: Final[tuple[Rule, ...]] = (
    *adapters.RULES,
    *serving.RULES,
    *training.RULES,
    *guards.RULES,
    *watching.RULES,
    *captured.RULES,
    *data.RULES,
    *egress.RULES,
    *gateways.RULES,
    *budget.RULES,
    *head_state.RULES,
    *images.RULES,
    *waves.RULES,
    *placement.RULES,
    *storage.RULES,
    *platform.RULES,
    *overrides.RULES,
)
"""The rules for changes to particular fields, in order of precedence within a section."""


def rule_for(change: Change) -> Rule:
    """Return the rule that judges a change."""
    entry_rules = (rule for rule in ENTRIES if change.entry and len(rule.pattern) == len(change.path))
    candidates: Iterable[Rule] = chain(
        entry_rules, _of_section(change.path[0]), (meanings.RULES[change.meaning.about],)
    )
    return next(rule for rule in candidates if matches(rule.pattern, change.path))


@lru_cache(maxsize=32)
def _of_section(section: str) -> tuple[Rule, ...]:
    return tuple(rule for rule in RULES if rule.pattern[0] in ("*", section))
