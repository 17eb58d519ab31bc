"""Print which parts of a spec other providers reject: for people, for pull requests, and for programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from modelyard.portability import Change, Move, Portability, Refusal
from modelyard.printing.diagnostics import json_entry
from modelyard.printing.markdown import escaped
from modelyard.printing.redact import redacted
from modelyard.printing.terminal import visible

_WHOLE: Final = "the whole spec"


def _text(result: Portability, spec: str) -> str:
    lines = [f"{spec}: {_counted(len(result.parts), 'part')}; {_moving(result)}"]
    for move in result.moves:
        lines += ["", f"to {_place(move)}: {_verdict(move, result)}"]
        lines += [f"  {_change(change)}" for change in move.changes]
        lines += [line for refusal in move.refusals for line in refusal_lines(refusal)]
    if result.tied:
        lines += ["", "settings that tie the spec to one provider:"]
        lines += [line for refusal in result.tied for line in refusal_lines(refusal)]
    return "\n".join(visible(line) for line in lines) + "\n"


def _moving(result: Portability) -> str:
    return f"{'targets' if len(result.targets) > 1 else 'target'} {', '.join(result.targets)} would move"


def _place(move: Move) -> str:
    regions = dict.fromkeys(
        str(change.after) for change in move.changes if change.path[-1] == "region" and change.after
    )
    return " in ".join(part for part in (move.destination.provider, ", ".join(regions)) if part)


def _verdict(move: Move, result: Portability) -> str:
    if not move.refusals:
        return "nothing else changes (100 %)"
    count = len({refusal.part for refusal in move.refusals})
    needs = "needs a change" if count == 1 else "need a change"
    return f"{count} of {_counted(len(result.parts), 'part')} {needs} ({move.score} %)"


def _change(change: Change) -> str:
    name = ".".join(map(str, change.path))
    if change.after is None:
        return f"{name}: without {change.before}"
    return f"{name}: {change.after}" if change.before is None else f"{name}: {change.before} -> {change.after}"


def refusal_lines(refusal: Refusal) -> Iterator[str]:
    """Yield the lines that describe a refusal: the rejected part of the spec, the error, its location and its hint."""
    problem, span = refusal.problem, refusal.problem.span
    yield f"  {refusal.part or _WHOLE}: {redacted(problem.message)} [{problem.code}]"
    place = f"{span.file}:{span.line}:{span.column}" if span else ""
    hint = redacted(problem.hint)
    if place or hint:
        yield f"      {'; '.join(part for part in (place, hint) if part)}"


def _markdown(result: Portability, spec: str) -> str:
    lines = [f"**{escaped(spec)}**: {_counted(len(result.parts), 'part')}; {escaped(_moving(result))}", ""]
    lines += ["| to | score | refused |", "|---|---|---|"]
    lines += [f"| {escaped(_place(move))} | {move.score} % | {_listed(move.refusals)} |" for move in result.moves]
    if result.tied:
        lines += ["", f"Tied to one provider: {_listed(result.tied)}"]
    return "\n".join(lines) + "\n"


def _listed(refusals: Iterable[Refusal]) -> str:
    texts = (
        f"{refusal.part or _WHOLE}: {redacted(refusal.problem.message)} ({refusal.problem.code})"
        for refusal in refusals
    )
    return "<br>".join(escaped(text) for text in texts) or "nothing"


def _json(result: Portability, spec: str) -> str:
    document = {
        "spec": spec,
        "parts": list(result.parts),
        "targets": list(result.targets),
        "tied": [_entry(refusal) for refusal in result.tied],
        "moves": [
            {
                "provider": move.destination.provider,
                "score": move.score,
                "changes": [
                    {"path": ".".join(map(str, change.path)), "before": change.before, "after": change.after}
                    for change in move.changes
                ],
                "refusals": [_entry(refusal) for refusal in move.refusals],
            }
            for move in result.moves
        ],
    }
    return json.dumps(document, indent=2) + "\n"


def _entry(refusal: Refusal) -> dict[str, object]:
    return {"part": refusal.part, **json_entry(refusal.problem)}


def _counted(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"


FORMS: Final[Mapping[str, Callable[[Portability, str], str]]] = MappingProxyType(
    {"text": _text, "json": _json, "markdown": _markdown}
)
"""Output formats by name, each with a function that writes a Portability, given the spec's path."""
