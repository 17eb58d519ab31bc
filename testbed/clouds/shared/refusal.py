"""The error that a stand-in raises when it refuses a call."""

from __future__ import annotations

_MISSING = ("NotFound", "NoSuch", "DoesNotExist", "NonExistent", "404")


class Refused(Exception):
    """Raised when the API refuses a call, with its error code and message.

    `separator` is printed between the two by the provider.
    """

    def __init__(self, code: str, message: str, separator: str = ": ") -> None:
        super().__init__(f"{code}{separator}{message}")
        self.code = code

    @property
    def missing(self) -> bool:
        """Return whether the API refused because the resource does not exist."""
        return any(word in self.code for word in _MISSING)
