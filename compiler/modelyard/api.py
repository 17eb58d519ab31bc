"""The public functions: the same work as the command line, from text to text, with no disk in between."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from modelyard.diagnostics import Diagnostic, has_errors
from modelyard.emit import OutputFile, emit
from modelyard.pipeline import Given, Inputs, Outcome, compile_system
from modelyard.records import field, record
from modelyard_targets import TARGETS


@record
class Compiled:
    """What came out of a spec: files by their path below the output folder (`<env>/<target>/…`), or why none did."""

    diagnostics: tuple[Diagnostic, ...]
    files: Mapping[str, bytes] = field(default_factory=dict[str, bytes], repr=False)

    @property
    def ok(self) -> bool:
        """Whether the spec compiled; warnings do not count against it."""
        return not has_errors(self.diagnostics)


def compile_text(
    text: str | bytes,
    *,
    environment: str | None = None,
    path: str = "system.yaml",
    overlay: str | bytes | None = None,
    variables: Mapping[str, str] | None = None,
) -> Compiled:
    """Compile a spec that is given as text.

    `path` is how diagnostics call it. `overlay` is the text of `environments/<environment>.yaml` where it exists.
    `variables` are values for what the spec declares under `vars`. Never raises for a bad spec.
    """
    beside = None if overlay is None else Given(f"environments/{environment}.yaml", overlay)
    outcome = compile_system(Inputs(Given(path, text), environment, beside, variables or {}), TARGETS)
    return Compiled(outcome.diagnostics, {file.path: file.render() for file in output_files(outcome)})


def output_files(outcome: Outcome) -> Iterator[OutputFile]:
    """The files of all stacks, each made when it is asked for."""
    for stack in outcome.stacks:
        yield from emit(stack)
