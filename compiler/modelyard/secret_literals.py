"""Find strings in a spec whose form or key suggests a secret, so that messages never repeat them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics.check import deployment as problems
from modelyard.patterns import pattern
from modelyard.public_keys import is_public_body
from modelyard.source import Document, Json, Path

_SHORTEST = 12
_LONG = 32
_HINTS = pattern("AKIA|ASIA|gh[opsur]_|github_pat_|xox|AIza|k_live_|eyJ|PRIVATE KEY|://")

_LITERALS = (
    (("AKIA", "ASIA"), pattern(r"(?<![A-Z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9])"), "an AWS access key"),
    (
        ("gho_", "ghp_", "ghs_", "ghu_", "ghr_", "github_pat_"),
        pattern(r"(?<![A-Za-z0-9])(?:gh[opsur]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,})"),
        "a GitHub token",
    ),
    (("xox",), pattern(r"(?<![A-Za-z0-9])xox[abeprs]-[A-Za-z0-9-]{10,}"), "a Slack token"),
    (("https://hooks.slack.com/",), pattern(r"https://hooks\.slack\.com/[A-Za-z0-9/]{10,}"), "a Slack webhook"),
    (("AIza",), pattern(r"(?<![A-Za-z0-9])AIza[A-Za-z0-9_-]{35}"), "a Google API key"),
    (("k_live_",), pattern(r"(?<![A-Za-z0-9])[sr]k_live_[A-Za-z0-9]{16,}"), "a Stripe key"),
    (("eyJ",), pattern(r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\."), "a signed web token"),
    (("PRIVATE KEY",), pattern(r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY"), "a private key"),
    (("://",), pattern(r"://[^/\s:@]{1,200}:[^/\s:@]{1,200}@"), "a URL with a password"),
)
"""Known forms of secrets: strings of which each secret contains one, its pattern, and a description. The strings are
checked first, which avoids compiling most patterns.
"""

_TOKEN = pattern(r"[A-Za-z0-9+/_=-]{32,}")
_NAMES = pattern(
    r"(?:^|[_.-])(?:password|passwd|passphrase|secret|credentials?|api_?key|private_?key|"
    r"(?:access|auth|api|bearer|refresh)_?(?:key|token))$",
    re.IGNORECASE,
)
_FREE = ("parameters", "space", "patch")  # below these sections, users choose the keys
_UNREAD = (*_FREE, "labels", "description", "reason", "card", "approvals", "approvers")
_NAMED = {"metadata": 1, "governance": 1, "deployment": 3}  # the depth of the section's entries if it is not 2


def secret_literals(document: Document) -> Iterator[Diagnostic]:
    """Find all strings that look like secrets, and secret references in fields that don't support them.

    Their spans are marked as secret. This runs even if another stage has rejected the document, so these strings stay
    hidden wherever the same lines are printed.
    """
    suspects: list[tuple[Path, str]] = []
    for section, entry in document.value.items():
        _collect(entry, (section,), suspects, free=False)
    for path, value in suspects:
        span = document.value_span(path)
        if value.startswith("secret://"):
            if any(step in _UNREAD for step in path[_NAMED.get(str(path[0]), 2) :]):
                yield problems.secret_reference_unread(span, _dotted(path))
            continue
        looks_like = _looks_like(path, value)
        if looks_like:
            yield problems.secret_literal(span, _dotted(path), looks_like)


def _collect(value: Json, path: Path, suspects: list[tuple[Path, str]], *, free: bool) -> None:
    """Collect all suspicious strings with their paths. `free` means that users choose the keys."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in entries:
        if isinstance(entry, str):
            length = len(entry)
            if (length >= _SHORTEST and (length >= _LONG or _HINTS.search(entry))) or (
                free and _NAMES.search(str(key))
            ):
                suspects.append(((*path, key), entry))
        elif isinstance(entry, dict | list):
            _collect(entry, (*path, key), suspects, free=free or key in _FREE)
        elif free and isinstance(entry, int) and not isinstance(entry, bool) and _NAMES.search(str(key)):
            suspects.append(((*path, key), str(entry)))


def _looks_like(path: Path, value: str) -> str:
    for parts, form, what in _LITERALS:
        if any(part in value for part in parts) and form.search(value):
            return what
    if any(step in _FREE for step in path[:-1]) and _NAMES.search(str(path[-1])) and value.strip():
        return "a secret (judging by its name)"
    return "a token" if _TOKEN.fullmatch(value) and _mixed(value) and not is_public_body(value) else ""


def _mixed(value: str) -> bool:
    """Return whether a string mixes uppercase letters, lowercase letters and digits like a random string would."""
    if value.count("/") > 2 or value.count("-") > 4 or value.count("_") > 3:
        return False
    small = sum(letter.islower() for letter in value)
    capital = sum(letter.isupper() for letter in value)
    digits = sum(letter.isdigit() for letter in value)
    return small >= 6 and capital >= 6 and digits >= 4


def _dotted(path: Path) -> str:
    return ".".join(str(step) for step in path)
