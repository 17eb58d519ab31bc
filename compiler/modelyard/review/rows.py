"""Report a change only once if it affects many rows of a list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from modelyard.records import replace
from modelyard.review.findings import Finding, facts
from modelyard.sites.folding import Repeats, of_rows
from modelyard.source import Document
from modelyard.stages import Outcome


def repeats_of(outcomes: Iterable[Outcome]) -> Repeats:
    """Return the entries in all documents that stand for rows of lists."""
    documents: list[Document] = [outcome.document for outcome in outcomes if outcome.document is not None]
    return Repeats.of(*(document.repeated for document in documents))


def for_rows(findings: Iterable[Finding], repeats: Repeats) -> Iterator[Finding]:
    """Merge the findings about the same field of entries that have the same definition."""
    if not repeats.by_name:
        yield from findings
        return
    same: dict[tuple[object, ...], list[Finding]] = {}
    for one in findings:
        path = tuple(map(repeats.general, one.path))
        same.setdefault((one.code, path, one.environments) if path != one.path else (one,), []).append(one)
    for members in same.values():
        yield members[0] if len(members) == 1 else _joined(members, repeats)


def _joined(members: list[Finding], repeats: Repeats) -> Finding:
    """Join findings about the same field in different rows. If their messages differ, the first row's is used."""
    first = max(members, key=lambda one: one.level)
    rows = dict.fromkeys(row for member in members for row in repeats.rows_in(*member.path))
    texts = {tuple(map(repeats.general, (one.message, one.before, one.after))) for one in members}
    if len(texts) == 1:
        message, before, after = next(iter(texts))
    else:
        message, before, after = f"{first.message}, and others differ", first.before, first.after
    return replace(
        first,
        path=tuple(map(repeats.general, first.path)),
        message=message + of_rows(rows),
        before=before,
        after=after,
        why=repeats.general(first.why),
        reasons=tuple(dict.fromkeys(repeats.general(reason) for one in members for reason in one.reasons)),
        reached=tuple(dict.fromkeys(repeats.general(address) for one in members for address in one.reached)),
        lasting=any(one.lasting for one in members),
        facts=facts(sorted(one.whole_fingerprint for one in members)),  # accepting it means accepting it for every row
    )
