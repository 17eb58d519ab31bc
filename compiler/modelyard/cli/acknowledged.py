"""Read the acknowledgements next to a spec, and verify their signatures with ssh-keygen."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime

from modelyard.cli.inputs import other_file
from modelyard.cli.versions import Compared, Version
from modelyard.public_keys import NotAKey, signing_key
from modelyard.review.accepting import Acknowledged, accepted
from modelyard.review.acknowledged import FILE, Acknowledgement, Unreadable, acknowledgements, signed_text
from modelyard.review.comparing import Review
from modelyard.source import Span


def today() -> date:
    """Return the current day in UTC."""
    return datetime.now(UTC).date()


def path_beside(version: Version) -> str:
    """Return the path of the acknowledgements file stored alongside a version's spec."""
    return os.path.join(os.path.dirname(version.inputs.spec.path), FILE)


def with_acknowledgements(change: Compared, after: Version) -> Review:
    """Apply the acknowledgements stored next to the new version to the review."""
    file = read_acknowledged(after, change.review.system)
    if not file.entries and not file.wrong:
        return change.review
    return accepted(change.review, file, change.before, change.after, today())


def read_acknowledged(version: Version, system: str) -> Acknowledged:
    """Read the acknowledgements stored next to a version's spec. Returns an empty result if there is no file."""
    path = path_beside(version)
    if not os.path.lexists(path):
        return Acknowledged()
    file, problems = other_file(path)
    if file is None:
        return Acknowledged(
            wrong=tuple(Unreadable(item.message, item.span or Span(path, 1, 1, 1)) for item in problems)
        )
    entries, wrong = acknowledgements(file)
    return Acknowledged(entries, wrong, {item: _signer(item, system) for item in entries if item.signature})


def _signer(entry: Acknowledgement, system: str) -> bytes | None:
    """Return the key that signed an entry, or None if the signature is invalid."""
    import subprocess  # imported here because few entries are signed
    import tempfile

    from modelyard.cli.approve import NAMESPACE

    try:
        key = signing_key(entry.signature)
    except NotAKey:
        return None
    with tempfile.TemporaryDirectory(prefix="acknowledged-") as folder:
        path = os.path.join(folder, "signature")
        with open(path, "w", encoding="utf-8") as file:
            file.write(entry.signature)
        command = ["ssh-keygen", "-Y", "check-novalidate", "-n", NAMESPACE, "-s", path]
        text = signed_text(entry.statement(system)).encode("utf-8", "surrogatepass")
        try:
            result = subprocess.run(command, input=text, capture_output=True, check=False)
        except OSError:  # without OpenSSH, nothing can be verified
            return None
    return None if result.returncode else key
