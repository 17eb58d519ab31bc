"""The inputs of a compile: source text and variables, before any stage has processed them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from modelyard.patterns import pattern
from modelyard.records import field, record
from modelyard.source import SourceFile

LOCK_NAME: Final = "modelyard.lock"
"""The file name of the lock, which is stored next to the spec."""

BASE_FOLDER: Final = "default"
"""The name used for the base in the output folder and in the lock."""


@record
class InputFile:
    """An input file: the path as typed by the user, and the content."""

    path: str
    content: str | bytes = field(repr=False)


@record
class Inputs:
    """Everything that determines the output: the spec, an environment with its overlay file, variables and more.

    `beside` holds the overlay files of all environments, by name. These files may also use variables. `approvals` holds
    the signed statements next to the spec, for all environments. `tables` maps names in the spec to the CSV files with
    sites and lists, or to the reasons why they cannot be read.
    """

    spec: InputFile
    environment: str | None = None
    overlay: InputFile | None = None
    variables: Mapping[str, str] = field(default_factory=dict[str, str])
    beside: Mapping[str, InputFile] = field(default_factory=dict[str, InputFile])
    approvals: tuple[InputFile, ...] = ()
    tables: Mapping[str, InputFile | str] = field(default_factory=dict[str, "InputFile | str"])

    @property
    def folder(self) -> str:
        """The environment's name in the output folder and in the lock."""
        return self.environment or BASE_FOLDER

    def files(self) -> tuple[SourceFile, ...]:
        """Return the files that diagnostics may quote, including tables of sites."""
        picked = () if self.overlay is None else (self.overlay,)
        tables = (
            SourceFile.read(table.path, table.content) for table in self.tables.values() if isinstance(table, InputFile)
        )
        return (*quotable(self.spec, *picked, *self.beside.values()), *tables)


def quotable(*input_files: InputFile) -> tuple[SourceFile, ...]:
    """Return the files that diagnostics may quote: only those that look like a spec.

    A path that is mistyped, or that is set by a pull request, may name a file that contains a secret.
    """
    files = (SourceFile.read(source.path, source.content) for source in input_files)
    return tuple(file for file in files if _looks_like_a_spec(file.text))


_SECTIONS: Final = "|".join(
    (
        "channels|compute|data|deployment|environments|governance|inference|lists|metadata|models|monitors|moved",
        "overrides|pipelines|profile|registry|stores|vars",
    )
)
_A_SECTION: Final = pattern(rf"""(?m)^[ \t]*(?:[{{,][ \t]*)?["']?(?:{_SECTIONS})["']?[ \t]*:""")
_VERSION: Final = pattern(r"""(?m)^[ \t]*(?:[{,][ \t]*)?["']?apiVersion["']?[ \t]*:(?P<value>.*)""")


def _looks_like_a_spec(text: str) -> bool:
    """Return whether the text has our apiVersion or, like an overlay, no apiVersion but one of our sections."""
    version = _VERSION.search(text)
    return "modelyard" in version["value"] if version else _A_SECTION.search(text) is not None
