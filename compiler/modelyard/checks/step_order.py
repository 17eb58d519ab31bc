"""Report pipeline steps that share a dataset without a defined order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics.check import step_order as problems
from modelyard.provider import Rule
from modelyard.spec import Pipeline, Step, System


def step_order(system: System) -> Iterator[Diagnostic]:
    """Require an order between two steps if one reads or writes the other's output."""
    for pipeline in system.pipelines.values():
        writers = [step for step in pipeline.steps if step.output]
        if len(pipeline.steps) > 1 and writers:
            yield from _unordered(system, pipeline, writers)


def _unordered(system: System, pipeline: Pipeline, writers: list[Step]) -> Iterator[Diagnostic]:
    places = {step.name: at for at, step in enumerate(pipeline.steps)}
    predecessors = _predecessors(pipeline)
    for writer in writers:
        for other in pipeline.steps:
            if other is writer or writer.name in predecessors[other.name] or other.name in predecessors[writer.name]:
                continue
            if writer.output in other.inputs:
                span = system.key(*other.path)
                yield problems.reads_while_written(span, other.name, writer.name, writer.output)
            elif writer.output == other.output and places[writer.name] < places[other.name]:
                yield problems.written_by_two(system.key(*other.path), other.name, writer.name, writer.output)


def _predecessors(pipeline: Pipeline) -> Mapping[str, frozenset[str]]:
    """Return the steps that must finish before each step. In a cycle (a separate error), that's every other step."""
    direct = {step.name: step.needs for step in pipeline.steps}
    predecessors: dict[str, frozenset[str]] = {}
    for name, needs in direct.items():
        visited: set[str] = set()
        waiting = [*needs]
        while waiting:
            predecessor = waiting.pop()
            if predecessor not in visited:
                visited.add(predecessor)
                waiting += direct.get(predecessor, ())
        predecessors[name] = frozenset(visited)
    return predecessors


RULES: Final[tuple[Rule, ...]] = (step_order,)
