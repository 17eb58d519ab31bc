"""Rules about models and pipelines: training data, code, schedules, and the alias that new versions get."""

from __future__ import annotations

from math import inf
from typing import Final

from modelyard.diagnostics.base import joined
from modelyard.review.changes import Change, Direction
from modelyard.review.rules.base import (
    DANGER,
    NOTE,
    REVIEW,
    Rule,
    Verdict,
    always,
    by_way,
    code,
    code_moves,
    described_by,
    is_foreign_code,
    is_image,
    is_other_model,
    is_pinned,
    moves,
    plainly,
    stated,
    was,
)
from modelyard.review.rules.looking import longest_wait
from modelyard.review.sides import Sides, served_at
from modelyard.spec import Reprocess
from modelyard.units import duration_text

_NOT_COMPARABLE: Final = "metrics of earlier and later versions are not comparable"


def _promotion(change: Change, sides: Sides) -> Verdict:
    return ("R109", DANGER) if _is_live(change, sides) else ("R110", REVIEW)


def _is_live(change: Change, sides: Sides) -> bool:
    """Return whether endpoints send more traffic to the alias new versions now get than to the previous one."""
    pipeline = sides.after.pipelines.get(change.path[1]) if change.path[0] == "pipelines" else None
    model = pipeline.model.model if pipeline is not None and pipeline.model is not None else change.path[1]
    percents = {alias: percent for _, alias, percent in served_at(sides.after, model)}
    return percents.get(change.after.text, 0) > percents.get(change.before.text, 0)


def _promotion_why(change: Change, sides: Sides) -> str:
    if _is_live(change, sides):
        return "a version that passes the gate immediately serves more of the traffic"
    return "the previous alias keeps its current version"


def _reprocess_why(change: Change, _: Sides) -> str:
    """Describe what happens to old rows when the alias moves and more or fewer of them are rescored."""
    before, after = (_rescored_s(value) for value in (change.was, change.now))
    if after > before:
        return "rows that already have scores may get different ones"
    return "old rows that are no longer rescored keep the scores of earlier versions"


def _rescored_s(reprocess: Reprocess | None) -> float:
    """Return how far back rows are scored again with a new version, in seconds."""
    if reprocess is None or reprocess.kind == "none":
        return 0
    return inf if reprocess.window_s is None else reprocess.window_s


def _starts(change: Change, _: Sides) -> Verdict:
    """Judge a change in how often runs start, based on the longest wait between two starts."""
    old, new = _wait(change.before.text), _wait(change.after.text)
    if old is not None and new is not None and old != new:
        return ("R113", REVIEW) if new > old else ("R114", REVIEW)
    way = {Direction.LOOSER: ("R113", REVIEW), Direction.STRICTER: ("R114", REVIEW)}
    return way.get(change.way, ("R117", REVIEW))


def _starts_why(change: Change, sides: Sides) -> str:
    if _starts(change, sides)[0] != "R117":
        return ""
    return "its inputs may not be ready at that time, and its results may come too late for those who use them"


def _starts_says(change: Change, _: Sides) -> str:
    owner, old, new = ".".join(change.path[:2]), _wait(change.before.text), _wait(change.after.text)
    if old is None or new is None or old == new:
        return f"{owner}: {'.'.join(change.path[2:])} is {moves(change)}"
    return f"{owner} starts every {was(duration_text(new), duration_text(old))}: {change.path[-1]} is {moves(change)}"


def _wait(text: str) -> int | None:
    return longest_wait(" ".join(text.removeprefix("cron ").split()[:5]))


def _entry(change: Change, _: Sides) -> Verdict:
    return ("R119", REVIEW) if change.added else ("R120", REVIEW)


def _split(change: Change, _: Sides) -> Verdict:
    return ("R112", DANGER) if change.way is Direction.LOOSER else ("R112", REVIEW)


def _split_why(change: Change, _: Sides) -> str:
    if change.way is Direction.LOOSER:
        return "rows from the same time end up in both parts, so versions may look better at the gate than they are"
    return _NOT_COMPARABLE


def _split_key_why(change: Change, _: Sides) -> str:
    if change.way is Direction.LOOSER:
        return "rows of one key can end up in both parts, so versions may look better at the gate than they are"
    return _NOT_COMPARABLE


def _code_says(change: Change, _: Sides) -> str:
    what = "" if change.removed and is_image(change) else f"{change.path[-1]} "
    return f"{'.'.join(change.path[:2])} runs {what}{code_moves(change)}"


def _image_why(change: Change, sides: Sides) -> str:
    pipeline = sides.after.pipelines.get(change.path[1])
    starts = "" if pipeline is None or pipeline.schedule.kind != "cron" else f" (cron {pipeline.schedule.cron})"
    tag = (
        ""
        if "@sha256:" in change.after.text or ":" not in change.after.text
        else "; a tag can later point to different content, a digest cannot"
    )
    foreign = is_foreign_code(change, sides)
    return f"from its next run{starts}{'; whoever runs that registry decides what the code is' if foreign else tag}"


def _model_entry(change: Change, _: Sides) -> Verdict:
    return ("R121", REVIEW) if change.added else ("R122", REVIEW)


def _output(change: Change, sides: Sides) -> Verdict:
    """Judge a change to a pipeline's output. It is a danger if other entries already read the new dataset."""
    return "R312", DANGER if _readers(change, sides) else REVIEW


def _readers(change: Change, sides: Sides) -> list[str]:
    """Return the other entries that already read the dataset a pipeline now writes."""
    system, name = sides.before, change.after.text
    reading = [
        f"pipelines.{pipeline.name}"
        for pipeline in system.pipelines.values()
        if pipeline.name != change.path[1]
        and name in {*pipeline.inputs, *(dataset for step in pipeline.steps for dataset in step.inputs)}
    ]
    reading += [
        f"monitors.{monitor.name}"
        for monitor in system.monitors.values()
        if name in {monitor.labels, monitor.reference.data if monitor.reference is not None else ""}
    ]
    gates = (model for model in system.models.values() if any(check.data == name for check in model.validation))
    return [*reading, *(f"the gate of models.{model.name}" for model in gates)] if name in system.data else []


def _output_why(change: Change, sides: Sides) -> str:
    stays = "existing data stays where it is; readers of the old place get nothing new"
    readers = _readers(change, sides)
    return f"its results replace what {joined(readers)} read; {stays}" if readers else stays


_PIPELINE: Final = ("pipelines", "*")
_STEP: Final = (*_PIPELINE, "steps", "*")


def _scores_with_number(change: Change, sides: Sides) -> bool:
    """Return whether a pipeline now scores with a version number, which no gate or approval has to agree to."""
    pipeline = sides.after.pipelines.get(change.path[1])
    trains = pipeline is None or pipeline.type == "training"
    return not trains and is_pinned(change.after)


def _scoring(change: Change, sides: Sides) -> Verdict:
    return "R104", DANGER if _scores_with_number(change, sides) or is_other_model(change) else REVIEW


def _scoring_why(change: Change, sides: Sides) -> str:
    if _scores_with_number(change, sides):
        return "from its next run; a pinned version is used even without passing its gate and approvals"
    if is_other_model(change):
        return "from its next run, its results come from a different model"
    return "from its next run, its results come from versions with that alias"


def _code(prefix: tuple[str, ...]) -> tuple[Rule, ...]:
    return (
        Rule((*prefix, "source"), code, _code_says, _image_why),
        Rule(
            (*prefix, "trainer"),
            always("R107", REVIEW),
            described_by("{owner} trains with {moves}"),
            "from its next run",
        ),
        Rule(
            (*prefix, "parameters"),
            always("R112", REVIEW),
            described_by("parameter {last} of {owner} is {moves}"),
            "from its next run",
        ),
        Rule(
            (*prefix, "inputs"),
            always("R111", REVIEW),
            lambda change, _: stated(f"inputs of {'.'.join(change.path[:2])}", change),
            "its results come from different data",
        ),
        Rule(
            (*prefix, "model"),
            _scoring,
            described_by("{owner} uses {moves}"),
            _scoring_why,
        ),
        Rule((*prefix, "output"), _output, described_by("{owner} writes to {moves}"), _output_why),
        Rule((*prefix, "compute"), always("R607", REVIEW), described_by("{owner} runs on compute class {moves}"), ""),
    )


RULES: Final[tuple[Rule, ...]] = (
    *(
        Rule(
            ("models", "*", "card", field),
            lambda change, sides: ("R805", REVIEW if sides.guarded else NOTE),
            plainly,
            lambda change, sides: f"those who judge the system rely on it ({sides.guarded})" if sides.guarded else "",
        )
        for field in ("purpose", "limitations", "license")
    ),
    Rule((*_PIPELINE, "promoteTo"), _promotion, described_by("{owner} promotes to {moves}"), _promotion_why),
    Rule(
        ("models", "*", "import", "promoteTo"),
        _promotion,
        described_by("{owner} is promoted to {moves}"),
        _promotion_why,
    ),
    Rule(
        (*_PIPELINE, "schedule", "overlap"),
        by_way(("R117", REVIEW), ("R117", NOTE), ("R117", NOTE)),
        described_by("{owner}: overlapping runs: {moves}"),
    ),
    Rule((*_PIPELINE, "schedule"), _starts, _starts_says, _starts_why),
    Rule((*_PIPELINE, "split", "by"), _split, described_by("{owner} holds out data by {moves}"), _split_why),
    Rule((*_PIPELINE, "split", "key"), _split, described_by("{owner} splits rows by key: {moves}"), _split_key_why),
    Rule(
        (*_PIPELINE, "split"),
        always("R112", REVIEW),
        described_by("{owner} holds out different data: {last} is {moves}"),
        _NOT_COMPARABLE,
    ),
    *_code(_STEP),
    *_code(_PIPELINE),
    Rule(
        (*_PIPELINE, "tuning", "trials"),
        always("R608", NOTE),
        described_by("the search of {owner}: {last} trials: {moves}"),
    ),
    Rule(
        (*_PIPELINE, "tuning"),
        always("R112", REVIEW),
        described_by("the search of {owner}: {last}: {moves}"),
        "from its next run",
    ),
    Rule(
        (*_PIPELINE, "reprocess"),
        always("R118", REVIEW),
        described_by("{owner} rescores old rows with a new version: {moves}"),
        _reprocess_why,
    ),
    Rule((*_PIPELINE, "type"), always("R108", DANGER), described_by("the type of {owner} is {moves}")),
    Rule(
        ("models", "*", "registeredName"),
        always("R108", DANGER),
        described_by("the name of {name} in the registry is {moves}"),
        "versions, aliases and history start over",
        irreversible=True,
    ),
    Rule(
        ("models", "*", "task"),
        always("R108", DANGER),
        described_by("the task of {name} is {moves}"),
        "earlier and later versions cannot replace each other",
    ),
    Rule(
        ("models", "*", "framework"),
        always("R108", DANGER),
        described_by("the framework of {name} is {moves}"),
        "earlier and later versions cannot replace each other",
    ),
    Rule(
        ("models", "*", "threshold"),
        always("R123", REVIEW),
        described_by("the decision threshold of {name} is {moves}"),
        "the same scores lead to different decisions",
    ),
    Rule(
        ("models", "*", "import", "digest"),
        always("R124", DANGER),
        described_by("{name} is imported with a different digest"),
        "its files are different; approvals of the old ones do not apply",
    ),
    Rule(
        ("models", "*", "import"),
        always("R124", REVIEW),
        described_by("{name} is imported from a different source: {last} is {moves}"),
    ),
)

ENTRIES: Final[tuple[Rule, ...]] = (
    Rule(
        ("pipelines", "*"),
        _entry,
        described_by("{owner} is {moves}"),
        lambda change, _: "" if change.added else "it no longer runs, on a schedule or after a breach",
    ),
    Rule(
        ("models", "*"),
        _model_entry,
        described_by("{owner} is {moves}"),
        lambda change, _: "" if change.added else "its versions stay in the registry, without a gate or approvals",
    ),
)
"""The rules for pipelines and models that are new or removed."""
