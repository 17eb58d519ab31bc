"""Quote names from a spec for shell commands, so that each remains a single word on one line."""

from __future__ import annotations

import shlex


def shell(text: str) -> str:
    """Quote a string as one shell word. Non-printable text becomes escapes that bash, zsh and ksh understand."""
    if text.isprintable():
        return shlex.quote(text)
    escaped = "".join(_escape(character) for character in text)
    return f"$'{escaped}'"


def command(*words: str) -> str:
    """Return a command line made up of the given words."""
    return " ".join(shell(word) for word in words)


def _escape(character: str) -> str:
    if character in "\\'":
        return f"\\{character}"
    if character.isprintable():
        return character
    return "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogatepass"))
