"""The public API. Does the same as the command line, but takes and returns strings instead of files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from modelyard.diagnostics import Diagnostic, has_errors
from modelyard.emit import OutputFile, emit
from modelyard.pipeline import InputFile, Inputs, Outcome, compile_system
from modelyard.records import field, record
from modelyard_targets import TARGETS


@record
class Compiled:
    """The result of a compile: diagnostics and, if it succeeded, output files by path (`<env>/<target>/…`)."""

    diagnostics: tuple[Diagnostic, ...]
    files: Mapping[str, bytes] = field(default_factory=dict[str, bytes], repr=False)

    @property
    def ok(self) -> bool:
        """Whether the spec compiled, possibly with warnings."""
        return not has_errors(self.diagnostics)


def compile_text(
    text: str | bytes,
    *,
    environment: str | None = None,
    path: str = "system.yaml",
    overlay: str | bytes | None = None,
    variables: Mapping[str, str] | None = None,
    tables: Mapping[str, str | bytes] | None = None,
) -> Compiled:
    """Compile a spec from a string.

    `path` is the file name to show in diagnostics. `overlay` is the text of `environments/<environment>.yaml`, if it
    exists. `variables` holds the values of variables declared under `vars`. `tables` holds the CSV files named under
    `sites` in the spec. An invalid spec never raises an exception.
    """
    overlay_file = None if overlay is None else InputFile(f"environments/{environment}.yaml", overlay)
    files = {name: InputFile(name, content) for name, content in (tables or {}).items()}
    inputs = Inputs(InputFile(path, text), environment, overlay_file, variables or {}, tables=files)
    outcome = compile_system(inputs, TARGETS)
    return Compiled(outcome.diagnostics, {file.path: file.render() for file in output_files(outcome)})


def output_files(outcome: Outcome) -> Iterator[OutputFile]:
    """Yield the output files of all stacks. Each file is rendered on demand."""
    for stack in outcome.stacks:
        yield from emit(stack)
