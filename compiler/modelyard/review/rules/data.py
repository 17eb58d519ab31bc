"""Rules about data: data classes, where data may be stored, what is recorded from requests, and retention periods."""

from __future__ import annotations

from typing import Final

from modelyard.diagnostics.base import joined
from modelyard.review.changes import Change, Direction
from modelyard.review.places import is_written
from modelyard.review.rules.base import DANGER, NOTE, REVIEW, Rule, Verdict, always, by_way, described_by, stated
from modelyard.review.sides import SENSITIVE, Sides


def _dataset(change: Change, sides: Sides) -> Verdict:
    dataset = (sides.after if change.added else sides.before).data.get(change.path[1])
    classified = dataset is not None and dataset.classification in SENSITIVE
    if change.added:
        return "R300", DANGER if classified else REVIEW
    return "R302", REVIEW


def _dataset_says(change: Change, sides: Sides) -> str:
    dataset = (sides.after if change.added else sides.before).data.get(change.path[1])
    kind = f" ({dataset.classification})" if dataset is not None and dataset.classification else ""
    return f"dataset {change.path[1]}{kind} is {'new' if change.added else 'removed'}"


def _class(change: Change, _: Sides) -> Verdict:
    if change.way is Direction.LOOSER:
        return "R303", DANGER
    return "R301", DANGER if change.after.text in SENSITIVE else REVIEW


def _class_why(change: Change, _: Sides) -> str:
    if change.way is Direction.LOOSER:
        return "rules about sensitive data no longer apply to it"
    return "whatever reads it now handles this class of data"


def _classes(change: Change, _: Sides) -> Verdict:
    before, after = set(change.before.items or ()), set(change.after.items or ())
    if after - before:
        return "R301", DANGER if (after - before) & SENSITIVE else REVIEW
    return "R303", DANGER


def _sample(change: Change, sides: Sides) -> Verdict:
    if change.way is Direction.STRICTER:
        return "R308", REVIEW if _is_watched(change, sides) else NOTE
    is_more = change.way is Direction.LOOSER and bool(sides.sensitive)
    return "R307", DANGER if is_more else REVIEW


def _capture(change: Change, sides: Sides) -> Verdict:
    if change.added:
        return "R307", DANGER if sides.sensitive else REVIEW
    return "R309", DANGER if _is_watched(change, sides) else REVIEW


def _is_watched(change: Change, sides: Sides) -> bool:
    return any(monitor.watch == f"inference.{change.path[1]}" for monitor in sides.after.monitors.values())


def _kept_why(change: Change, sides: Sides) -> str:
    classes = ", ".join(sorted(sides.sensitive))
    if change.removed and change.path[-1] == "capture":
        return "monitors that read captures no longer see anything" if _is_watched(change, sides) else ""
    return f"the system handles {classes}" if classes and change.way is not Direction.STRICTER else ""


def _retention(change: Change, _: Sides) -> Verdict:
    before, after = change.before.number, change.after.number
    shorter = after is not None and (before is None or after < before)
    return ("R310", DANGER) if shorter else ("R311", REVIEW)


def _retention_why(change: Change, sides: Sides) -> str:
    verdict, _ = _retention(change, sides)
    if verdict == "R310":
        return f"data older than {change.after.text} is deleted once this is applied"
    return "data is kept longer than before"


def _inherited(change: Change, sides: Sides) -> Verdict:
    """Judge a change to the default retention of captures, which only affects endpoints without `retain`."""
    code, level = _retention(change, sides)
    return code, level if _inheriting(change, sides) else NOTE


def _inherited_why(change: Change, sides: Sides) -> str:
    names = _inheriting(change, sides)
    return f"{_retention_why(change, sides)}: {joined(names)}" if names else "no endpoint uses it"


def _inheriting(change: Change, sides: Sides) -> list[str]:
    """Return the endpoints whose captures use the system-wide retention period after the change."""
    return [
        name
        for name, endpoint in sides.after.inference.items()
        if endpoint.capture is not None and not is_written(sides.after, ("inference", name, "capture", "retain"))
    ]


def _residency_says(change: Change, _: Sides) -> str:
    if change.removed:
        return f"data may be stored anywhere (was only {change.before.text})"
    if change.added:
        return f"data may be stored only in {change.after.text} (was anywhere)"
    return stated("where data may be stored", change)


def _place_why(change: Change, sides: Sides) -> str:
    return "data in the old place is neither moved nor deleted"


def _gates_on(change: Change, sides: Sides) -> list[str]:
    """Return the gate checks evaluated on a dataset, along with their models, e.g. `fair of risk`."""
    return [
        f"{check.name} of {model.name}"
        for model in sides.after.models.values()
        for check in model.validation
        if check.data == change.path[1]
    ]


def _path(change: Change, sides: Sides) -> Verdict:
    return "R312", DANGER if _gates_on(change, sides) else REVIEW


def _path_why(change: Change, sides: Sides) -> str:
    gates = _gates_on(change, sides)
    moved = _place_why(change, sides)
    return f"gates are evaluated on different data: {', '.join(gates)}; {moved}" if gates else moved


def _lock_why(change: Change, sides: Sides) -> str:
    if change.way is not Direction.STRICTER:
        return "records may be deleted sooner"
    store = sides.after.stores.get(change.path[1])
    if store is None or store.object_lock is None or store.object_lock.mode != "compliance":
        return ""
    return "nobody can undo this for what is stored there, not even the owner of the account"


def _is_learned(change: Change, sides: Sides) -> bool:
    """Return whether a model is trained on a dataset."""
    pipelines = sides.after.pipelines.values()
    return any(pipeline.type == "training" and change.path[1] in pipeline.inputs for pipeline in pipelines)


def _learned_why(change: Change, sides: Sides) -> str:
    return "from the next training run, models learn from it differently" if _is_learned(change, sides) else ""


def _label_why(change: Change, sides: Sides) -> str:
    if _is_learned(change, sides):
        return "from the next training run, models learn to predict a different column; callers get its predictions"
    return "predictions are compared with a different column"


def _column(change: Change, sides: Sides) -> Verdict:
    """Judge a column of a schema. A new one only matters if models learn from all columns or from this one."""
    dataset = sides.after.data.get(change.path[1])
    used = dataset is None or not dataset.features or change.path[-1] in (*dataset.features, dataset.label)
    return "R111", REVIEW if used or not change.added else NOTE


def _column_why(change: Change, sides: Sides) -> str:
    return _learned_why(change, sides) if _column(change, sides)[1] is REVIEW else ""


_CAPTURE: Final = ("inference", "*", "capture")
_DATA: Final = ("data", "*")

RULES: Final[tuple[Rule, ...]] = (
    Rule(
        ("governance", "dataClasses"),
        _classes,
        lambda change, _: stated("the data classes that the system declares", change),
        "the people responsible for this data have to know",
    ),
    Rule(
        (*_DATA, "classification"),
        _class,
        described_by("dataset {name} is {moves}", "dataset {name} no longer has a class (was {before})"),
        _class_why,
    ),
    Rule(
        ("governance", "residency"),
        by_way(("R304", DANGER), ("R305", NOTE), ("R304", REVIEW)),
        _residency_says,
        lambda change, _: (
            "data and work may leave the places where they had to stay" if change.way is Direction.LOOSER else ""
        ),
    ),
    Rule(
        ("governance", "retention", "captures"),
        _inherited,
        described_by("captures are kept {moves}"),
        _inherited_why,
        irreversible=True,
    ),
    Rule(
        (*_CAPTURE, "retain"),
        _retention,
        described_by("captures of {name} are kept {moves}"),
        _retention_why,
        irreversible=True,
    ),
    Rule(
        ("stores", "*", "retention"),
        _retention,
        described_by("objects in {name} are kept {moves}"),
        _retention_why,
        irreversible=True,
    ),
    Rule(
        ("stores", "*", "objectLock"),
        by_way(("R315", DANGER), ("R316", REVIEW), ("R315", REVIEW)),
        described_by("the lock that keeps versions of objects in {name} from being deleted: {last} is {moves}"),
        _lock_why,
    ),
    Rule(
        ("stores", "*", "versioned"),
        by_way(("R313", DANGER), ("R314", NOTE), ("R313", REVIEW)),
        lambda change, _: (
            f"{change.path[1]} {'no longer keeps' if change.way is Direction.LOOSER else 'keeps'}"
            " old versions of objects"
        ),
        lambda change, _: "overwritten or deleted objects are lost" if change.way is Direction.LOOSER else "",
    ),
    Rule(
        (*_CAPTURE, "sample"),
        _sample,
        described_by("{name} keeps {after} of its requests (was {before})"),
        _kept_why,
    ),
    Rule((*_CAPTURE, "store"), always("R312", REVIEW), described_by("captures of {name} go to {moves}"), _place_why),
    Rule((*_CAPTURE, "path"), always("R312", REVIEW), described_by("captures of {name} go to {moves}"), _place_why),
    Rule(
        _CAPTURE,
        _capture,
        lambda change, _: (
            f"{change.path[1]} no longer keeps requests (was {change.before.text})"
            if change.removed
            else f"{change.path[1]} now keeps requests: {change.after.text}"
        ),
        _kept_why,
    ),
    Rule((*_DATA, "store"), always("R312", DANGER), described_by("dataset {name} is in store {moves}"), _place_why),
    Rule((*_DATA, "path"), _path, described_by("dataset {name} is at {moves}"), _path_why),
    Rule((*_DATA, "uri"), always("R312", DANGER), described_by("dataset {name} is at {moves}"), _place_why),
    Rule((*_DATA, "description"), always("R805", NOTE), described_by("the description of dataset {name} changes")),
    Rule(
        (*_DATA, "features"),
        always("R111", REVIEW),
        lambda change, _: stated(f"the features of {change.path[1]}", change),
        "from the next training run, models learn from different columns",
    ),
    Rule(
        (*_DATA, "format"),
        always("R111", REVIEW),
        described_by("the format of {name} is {moves}"),
        "existing files are not converted, and can no longer be read",
    ),
    Rule((*_DATA, "label"), always("R111", REVIEW), described_by("the label of {name} is {moves}"), _label_why),
    Rule((*_DATA, "schema", "*"), _column, described_by("the type of column {last} in {name} is {moves}"), _column_why),
    Rule((*_DATA, "*"), always("R111", REVIEW), described_by("dataset {name}: {last} is {moves}"), _learned_why),
)

ENTRIES: Final[tuple[Rule, ...]] = (Rule(_DATA, _dataset, _dataset_says),)
"""The rules for datasets that are new or removed."""
