"""Remove secrets from output, even if they are in unexpected places in a spec."""

from __future__ import annotations

import re
from typing import Final

from modelyard.patterns import pattern

MASK: Final = "********"

_KEYED: Final = pattern(
    r"""(?ix)
    (?: passw(?:or)?d | passphrase | (?<!pull)secret | (?<!first)token | credentials?
        | (?:api|access|private|routing)[_.-]?key )
    (?: [_.-]?(?:key|id) )? ["']? \s* : [ \t]+
    (?P<value> "(?:[^"\\]|\\.)*"? | '[^']*'? | [^\s"'{\[|>&*,}\]][^,}\]\n]* )"""
)
"""Matches a key whose name suggests a secret, and the scalar after the key."""

_TOKENS: Final = pattern(
    r"(?<![A-Za-z0-9])(?:AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|xox[abprs]-[\w-]{8,}"
    r"|sk-[\w-]{16,}|AIza[\w-]{30,})"
    r"|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*|(?<=hooks\.slack\.com/services/)[\w/-]+|(?<=://)[^/\s:@'\"]*:[^/\s@'\"]+(?=@)"
    r"|(?<=\bkey: )[A-Za-z0-9+/_=-]{16,}"
)
"""Matches secrets that are recognizable only by form. A prefix within a word, as in helpdesk-lake, does not count."""

_PUBLIC: Final = ("secret://", "${", "true", "false", "null", "~")


def redacted(text: str) -> str:
    """Replace anything that looks like a secret with asterisks, preserving the text's length."""
    return _KEYED.sub(_starred, _TOKENS.sub(lambda match: "*" * len(match[0]), text))


def _starred(match: re.Match[str]) -> str:
    value = match["value"]
    if value.strip("\"'").startswith(_PUBLIC):
        return match[0]
    return match[0][: match.start("value") - match.start()] + "*" * len(value)
