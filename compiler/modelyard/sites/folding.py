"""Combine diagnostics that are the same for many rows of a list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from modelyard.diagnostics.base import Diagnostic
from modelyard.diagnostics.sites import listed
from modelyard.patterns import pattern
from modelyard.records import record, replace
from modelyard.source import Path, Repeat, Span

_WORD: Final = pattern(r"[a-z][a-z0-9-]*")


@record
class Repeats:
    """The entries created by repeating a definition for the rows of a list, keyed by name."""

    by_name: Mapping[str, Repeat]

    @classmethod
    def of(cls, *repeated: Mapping[Path, Repeat]) -> Repeats:
        """Collect the repeated entries from several documents."""
        return cls({str(path[1]): repeat for entries in repeated for path, repeat in entries.items()})

    def general(self, text: str) -> str:
        """Replace the names of repeated entries in a string with the keys of the entries' definitions."""
        return _WORD.sub(lambda match: self._key(match[0]), text)

    def _key(self, word: str) -> str:
        name = self._name_in(word)
        return word.replace(name, self.by_name[name].key, 1) if name else word

    def _name_in(self, word: str) -> str:
        """Return the repeated entry at the start or end of a word, e.g. `demand-north` in `train-demand-north`."""
        if word in self.by_name:
            return word
        steps = word.split("-")
        parts = (part for at in range(1, len(steps)) for part in ("-".join(steps[at:]), "-".join(steps[:-at])))
        return next((part for part in parts if part in self.by_name), "")

    def rows_in(self, *texts: str) -> tuple[tuple[str, str], ...]:
        """Return the list and the row of each repeated entry that is named in the given strings."""
        names = (self._name_in(word) for text in texts for word in _WORD.findall(text))
        repeats = (self.by_name[name] for name in names if name)
        return tuple(dict.fromkeys((repeat.list, repeat.row) for repeat in repeats))


def of_rows(rows: Iterable[tuple[str, str]]) -> str:
    """Return a message suffix that names rows, such as ` (rows north and south of list regions)`."""
    by_list: dict[str, list[str]] = {}
    for name, row in rows:
        by_list.setdefault(name, []).append(row)
    texts = [f"row{'s' if len(of) > 1 else ''} {listed(of)} of list {name}" for name, of in by_list.items()]
    return f" ({', '.join(texts)})"


def folded_diagnostics(
    diagnostics: Iterable[Diagnostic], repeated: Mapping[Path, Repeat]
) -> Iterator[tuple[Diagnostic, tuple[Diagnostic, ...]]]:
    """Merge diagnostics that are identical for many rows at one location.

    Yields each merged diagnostic along with the ones it replaces.
    """
    repeats = Repeats.of(repeated)
    same: dict[tuple[str, Span | None, str, str], list[Diagnostic]] = {}
    for diagnostic in diagnostics:
        same.setdefault(
            (diagnostic.code, diagnostic.span, repeats.general(diagnostic.message), repeats.general(diagnostic.hint)),
            [],
        ).append(diagnostic)
    for (_, _, message, hint), members in same.items():
        if len(members) == 1:
            yield members[0], (members[0],)
            continue
        rows = dict.fromkeys(row for member in members for row in repeats.rows_in(member.message, member.hint))
        yield replace(members[0], message=message + of_rows(rows), hint=hint, meant=None), tuple(members)
