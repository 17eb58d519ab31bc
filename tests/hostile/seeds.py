"""Seeds for hostile tests: valid specs, each with one of its environments."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from modelyard.load import load
from modelyard.pipeline import InputFile, Inputs, read
from modelyard.source import Json, SourceFile
from tests.examples import one_each

TABLES = {"shops.csv": "name\nshop-001\nshop-002\n"}
"""The files with sites that the seeds refer to."""

FIELDS = Path(__file__).resolve().parent.parent / "fields"


@dataclass(frozen=True, slots=True, eq=False)
class Seed:
    """A valid spec as text, and its document for one environment."""

    name: str
    environment: str | None
    text: str
    value: dict[str, Json]

    def inputs(self, text: str | None = None, path: str | None = None) -> Inputs:
        """Return the seed as the compiler's input, optionally with another text or path."""
        tables: dict[str, InputFile | str] = {name: InputFile(name, table) for name, table in TABLES.items()}
        spec = InputFile(path or self.name, self.text if text is None else text)
        return Inputs(spec, self.environment, tables=tables)

    def alone(self) -> dict[str, Json]:
        """Return the environment's document on its own, i.e. the spec with overlay and variables applied."""
        outcome = read(self.inputs())
        assert outcome.document is not None, outcome.diagnostics
        return {
            key: value for key, value in outcome.document.value.items() if key not in {"environments", "vars", "lists"}
        }


@lru_cache(maxsize=1)
def seeds() -> tuple[Seed, ...]:
    """Return the specs in tests/fields, which together use every field, and each example's last environment."""
    result = [_seed(path.stem, None, path.read_text(encoding="utf-8")) for path in sorted(FIELDS.glob("*.yaml"))]
    for example in one_each():
        inputs = example.inputs()
        if inputs.overlay is None:
            result.append(
                _seed(example.name, example.environment, SourceFile.read(example.name, inputs.spec.content).text)
            )
    return tuple(result)


def _seed(name: str, environment: str | None, text: str) -> Seed:
    document, problems = load(text, name)
    assert document is not None, problems
    return Seed(name, environment, text, document.value)
