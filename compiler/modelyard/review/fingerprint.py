"""Hash a whole change, to tell whether the change being compiled is the one that was reviewed."""

from __future__ import annotations

from modelyard import __version__
from modelyard.hashing import sha256
from modelyard.review.comparing import Outcomes, Review
from modelyard.value_hash import values_hash

_DIGITS = 40


def change_fingerprint(review: Review, before: Outcomes, after: Outcomes) -> str:
    """Return a hash of all findings and of both versions' values in every environment.

    The hash is "" if a version doesn't compile. Acknowledgements and the way the versions are written don't affect it.
    """
    if review.unjudged:
        return ""
    parts = [__version__, review.system, *sorted(finding.whole_fingerprint for finding in review.findings)]
    for outcomes in (before, after):
        parts.append(str(len(outcomes)))
        for name, outcome in sorted(outcomes.items()):
            if outcome.system is None:
                return ""
            parts += [name, values_hash(outcome.system)]
    total = sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        total.update(len(data).to_bytes(8, "big") + data)
    return total.hexdigest()[:_DIGITS]
