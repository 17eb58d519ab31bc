"""Regular expressions that are compiled on first use rather than on definition.

Compiling all of them took a twentieth of `validate`'s time for the reference spec, and most specs use only a few.
"""

from __future__ import annotations

import re
from typing import Any, AnyStr, Final, cast

_METHODS: Final = ("findall", "finditer", "fullmatch", "match", "search", "split", "sub", "subn")


class _Uncompiled:
    """Compiles the pattern and copies its methods on first use. Later uses have no extra cost."""

    __slots__ = ("_flags", "_text", *_METHODS)

    def __init__(self, text: str | bytes, flags: int) -> None:
        self._text = text
        self._flags = flags

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        compiled = re.compile(self._text, self._flags)
        for method in _METHODS:
            setattr(self, method, getattr(compiled, method))
        return getattr(compiled, name)


def pattern(text: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """Return a regular expression with the methods and attributes of a compiled pattern, but a different class."""
    return cast("re.Pattern[AnyStr]", _Uncompiled(text, flags))
