"""Write names of a spec into shell commands, where each stays one word on one line."""

from __future__ import annotations

import shlex


def shell(text: str) -> str:
    """Quote a text as one word of a shell. Text that is not printable becomes escapes, which bash, zsh and ksh read."""
    if text.isprintable():
        return shlex.quote(text)
    escaped = "".join(_escape(character) for character in text)
    return f"$'{escaped}'"


def command(*words: str) -> str:
    """Return a command line of these words."""
    return " ".join(shell(word) for word in words)


def _escape(character: str) -> str:
    if character in "\\'":
        return f"\\{character}"
    if character.isprintable():
        return character
    return "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogatepass"))
