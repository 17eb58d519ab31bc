"""Finds stop sequences in text that arrives in pieces."""

from __future__ import annotations


class Stops:
    """The text before the first of several stop sequences, which may extend over several pieces."""

    def __init__(self, sequences: tuple[str, ...]) -> None:
        self._sequences = sequences
        self._held = ""
        self.found = False

    def add(self, piece: str) -> str:
        """Return the text that is certain not to be part of a stop sequence."""
        if self.found:
            return ""
        text = self._held + piece
        places = [place for place in map(text.find, self._sequences) if place >= 0]
        if places:
            self.found, self._held = True, ""
            return text[: min(places)]
        held_length = max((_overlap(text, sequence) for sequence in self._sequences), default=0)
        self._held = text[len(text) - held_length :]
        return text[: len(text) - held_length]

    def rest(self) -> str:
        """Return the text still held back when generation ends."""
        rest, self._held = self._held, ""
        return rest


def _overlap(text: str, sequence: str) -> int:
    """Return the length of the longest suffix of the text that is also a prefix of the sequence."""
    lengths = range(min(len(sequence) - 1, len(text)), 0, -1)
    return next((length for length in lengths if text.endswith(sequence[:length])), 0)
