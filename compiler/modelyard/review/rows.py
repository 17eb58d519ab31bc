"""Report a change only once if it affects many rows of a list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from modelyard.records import replace
from modelyard.review.findings import Finding, facts
from modelyard.sites.folding import Repeats, of_rows
from modelyard.source import Document
from modelyard.stages import Outcome


def repeats_of(outcomes: Iterable[Outcome]) -> Repeats:
    """Return the entries that were repeated for list rows, across the documents of all outcomes."""
    documents: list[Document] = [outcome.document for outcome in outcomes if outcome.document is not None]
    return Repeats.of(*(document.repeated for document in documents))


def for_rows(findings: Iterable[Finding], repeats: Repeats) -> Iterator[Finding]:
    """Merge findings about the same field in entries repeated from the same definition."""
    if not repeats.by_name:
        yield from findings
        return
    same: dict[tuple[object, ...], list[Finding]] = {}
    for finding in findings:
        path = tuple(map(repeats.general, finding.path))
        same.setdefault((finding.code, path, finding.environments) if path != finding.path else (finding,), []).append(
            finding
        )
    for members in same.values():
        yield members[0] if len(members) == 1 else _joined(members, repeats)


def _joined(members: list[Finding], repeats: Repeats) -> Finding:
    """Merge findings about the same field in different rows.

    If their messages differ, the most serious one's is used.
    """
    first = max(members, key=lambda finding: finding.level)
    rows = dict.fromkeys(row for member in members for row in repeats.rows_in(*member.path))
    texts = {tuple(map(repeats.general, (finding.message, finding.before, finding.after))) for finding in members}
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
        reasons=tuple(dict.fromkeys(repeats.general(reason) for finding in members for reason in finding.reasons)),
        reached=tuple(dict.fromkeys(repeats.general(address) for finding in members for address in finding.reached)),
        irreversible=any(finding.irreversible for finding in members),
        facts=facts(
            sorted(finding.whole_fingerprint for finding in members)
        ),  # accepting it means accepting it for every row
    )
