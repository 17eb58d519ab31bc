"""Runs a spec through the stages and returns its diagnostics, for tests of the early stages."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from modelyard.diagnostics import Diagnostic
from modelyard.pipeline import InputFile, Inputs, understand
from modelyard.printing.diagnostics import render
from modelyard.source import SourceFile
from modelyard_targets import TARGETS
from tests.places import places

__all__ = ["Question", "diagnose", "examine", "places", "question_in"]


@dataclass(frozen=True)
class Question:
    """The input of `modelyard validate`, i.e. a spec, its environment and its options."""

    spec: str | bytes
    path: str = "system.yaml"
    environment: str | None = None
    overlay: str | bytes | None = None
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    tables: Mapping[str, bytes] = field(default_factory=dict[str, bytes])

    @property
    def overlay_path(self) -> str:
        """Return the path of the environment file."""
        return f"environments/{self.environment}.yaml"

    def sources(self) -> list[SourceFile]:
        """Return the text of the files that the positions of diagnostics refer to."""
        overlay = [(self.overlay_path, self.overlay)] if self.overlay is not None else []
        pairs = [(self.path, self.spec), *overlay, *self.tables.items()]
        return [SourceFile.read(path, content) for path, content in pairs]


def examine(question: Question) -> tuple[Diagnostic, ...]:
    """Return all diagnostics, including those of targets, up to the first stage that reports an error."""
    overlay = InputFile(question.overlay_path, question.overlay) if question.overlay is not None else None
    spec = InputFile(question.path, question.spec)
    tables: dict[str, InputFile | str] = {name: InputFile(name, content) for name, content in question.tables.items()}
    inputs = Inputs(spec, question.environment, overlay, question.settings, tables=tables)
    return understand(inputs, TARGETS).diagnostics


def question_in(folder: Path) -> Question:
    """Return the input in a tests/failing folder: a spec, its environments, and options from `arguments.txt`."""
    arguments = folder / "arguments.txt"
    words = shlex.split(arguments.read_text(encoding="utf-8")) if arguments.exists() else []
    pairs = list(zip(words[::2], words[1::2], strict=True))
    environment = next((value for option, value in pairs if option == "--env"), None)
    settings = dict(value.split("=", 1) for option, value in pairs if option == "--set")
    overlay = folder / "environments" / f"{environment}.yaml"
    return Question(
        (folder / "system.yaml").read_bytes(),
        environment=environment,
        overlay=overlay.read_bytes() if overlay.exists() else None,
        settings=settings,
        tables={file.name: file.read_bytes() for file in folder.glob("*.csv")},
    )


def diagnose(question: Question) -> str:
    """Return the diagnostics as printed, without colour."""
    return render(examine(question), question.sources())
