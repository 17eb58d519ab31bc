"""What a compile is given: texts and the values of variables, before any room has looked at them."""

from __future__ import annotations

from collections.abc import Mapping

from modelyard.records import field, record
from modelyard.source import SourceFile


@record
class Given:
    """A file as it was given: the path in the user's own words, and what it holds."""

    path: str
    content: str | bytes = field(repr=False)


@record
class Inputs:
    """All that decides what comes out: the spec, an environment with its overlay file, and values of variables.

    `beside` are the overlay files of all environments by name; whether a variable is used is asked of them too.
    """

    spec: Given
    environment: str | None = None
    overlay: Given | None = None
    variables: Mapping[str, str] = field(default_factory=dict[str, str])
    beside: Mapping[str, Given] = field(default_factory=dict[str, Given])

    def files(self) -> tuple[SourceFile, ...]:
        """The texts that diagnostics point into."""
        picked = () if self.overlay is None else (self.overlay,)
        return tuple(SourceFile.read(one.path, one.content) for one in (self.spec, *picked, *self.beside.values()))
