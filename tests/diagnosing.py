"""A spec through the stages, and its diagnostics: what most tests of the early stages compare."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from modelyard.diagnostics import Diagnostic
from modelyard.pipeline import Given, Inputs, understand
from modelyard.printing.diagnostics import render
from modelyard.source import SourceFile
from modelyard_targets import TARGETS
from tests.places import places

__all__ = ["Question", "diagnose", "examine", "places", "question_in"]


@dataclass(frozen=True)
class Question:
    """What a user gives to `modelyard validate`."""

    spec: str | bytes
    path: str = "system.yaml"
    environment: str | None = None
    overlay: str | bytes | None = None
    settings: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def overlay_path(self) -> str:
        """How the file of the environment is called."""
        return f"environments/{self.environment}.yaml"

    def sources(self) -> list[SourceFile]:
        """The files that diagnostics point into."""
        given = [(self.path, self.spec), *([(self.overlay_path, self.overlay)] if self.overlay is not None else [])]
        return [SourceFile.read(path, content) for path, content in given]


def examine(question: Question) -> tuple[Diagnostic, ...]:
    """All diagnostics up to the first stage that finds an error, targets included."""
    overlay = Given(question.overlay_path, question.overlay) if question.overlay is not None else None
    spec = Given(question.path, question.spec)
    return understand(Inputs(spec, question.environment, overlay, question.settings), TARGETS).diagnostics


def question_in(folder: Path) -> Question:
    """The question that a folder of tests/failing asks: a spec, its environments, and what `arguments.txt` adds."""
    arguments = folder / "arguments.txt"
    words = shlex.split(arguments.read_text(encoding="utf-8")) if arguments.exists() else []
    pairs = list(zip(words[::2], words[1::2], strict=True))
    environment = next((value for option, value in pairs if option == "--env"), None)
    settings = dict(value.split("=", 1) for option, value in pairs if option == "--set")
    beside = folder / "environments" / f"{environment}.yaml"
    return Question(
        (folder / "system.yaml").read_bytes(),
        environment=environment,
        overlay=beside.read_bytes() if beside.exists() else None,
        settings=settings,
    )


def diagnose(question: Question) -> str:
    """What is printed, as text without colour."""
    return render(examine(question), question.sources())
