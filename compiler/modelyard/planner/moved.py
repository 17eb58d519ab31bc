"""Renames that must not destroy: what `moved` may say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from modelyard.diagnostics.base import Diagnostic, nearest
from modelyard.diagnostics.plan import moved_but_there, moved_elsewhere, moved_to_nowhere
from modelyard.spec import System


def check_moved(system: System) -> Iterator[Diagnostic]:
    """Every new address exists, no old one does, and no two keep the names of one."""
    sections: Mapping[str, Mapping[str, object]] = {
        "inference": system.inference,
        "pipelines": system.pipelines,
        "monitors": system.monitors,
        "stores": system.stores,
    }
    kept: set[str] = set()
    for new, old in (system.moved or {}).items():
        new_section, _, new_name = new.partition(".")
        old_section, _, old_name = old.partition(".")
        if new_name not in sections.get(new_section, {}):
            known = (f"{section}.{name}" for section, named in sections.items() for name in named)
            yield moved_to_nowhere(system.key("moved", new), new, nearest(new, known, "did you mean {}?"))
        elif new_section != old_section or not old_name or old in kept:
            yield moved_elsewhere(system.at("moved", new), new, old)
        elif old_name in sections[old_section]:
            yield moved_but_there(system.at("moved", new), old)
        kept.add(old)
