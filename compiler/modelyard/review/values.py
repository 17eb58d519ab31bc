"""Split the typed spec, one level at a time, into the fields and values that a spec would contain."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias, cast

from modelyard.flow_text import flow
from modelyard.records import record, replace
from modelyard.review.words import spec_text, word
from modelyard.source import Json
from modelyard.value_hash import KEYED

Steps: TypeAlias = tuple[str, ...]

Parts: TypeAlias = dict[Steps, Any]
"""The direct contents of a value: nested values and leaves, by their path within the value."""


@record
class Leaf:
    """A scalar or list, as it would be written in the spec.

    `number` is set for quantities and `items` for lists. An empty `text` means there is no value. `order` is False for
    lists whose order doesn't matter. `exact` is text that also distinguishes `true` from "true", and 1 from 1.0, for
    JSON that is passed through as written.
    """

    text: str
    number: float | None = None
    items: tuple[str, ...] | None = None
    order: bool = False
    exact: str = ""


ABSENT: Final = Leaf("")

_HIDDEN: Final = frozenset(
    {
        *(("System", name) for name in ("document", "environment", "signed")),
        *(("TargetSpec", name) for name in ("name", "in_cloud", "secrets_via", "options")),
        *(("Step", name) for name in ("name", "path")),
        *(("ComputeClass", name) for name in ("name", "path")),
        ("ExistingCluster", "node_pools"),  # handled by `_target`
        ("Stage", "alias"),
        ("Store", "called"),
        ("Store", "name"),
        ("Approvers", "name"),
        ("Reprocess", "window_s"),
        *(("Sites", name) for name in ("names", "name", "wave")),  # site_values.py compares the tables
    }
)
"""Record fields that are not values in a spec: names, which are the keys of entries, and data added by the compiler."""

_ORDERED: Final = frozenset({"accelerators", "features"})
"""Names of list fields in which the order of items has a meaning."""

_MAY_BE_EMPTY: Final = frozenset({("Stage", "checks"), ("Capture", "keys")})
"""List fields for which an empty list differs from an unset field."""


def kind_of(value: object) -> str:
    """Return the name of a record's Python class, or "" for other values."""
    return type(value).__name__ if hasattr(type(value), "__match_args__") else ""


def parts(value: Any) -> Parts | None:
    """Return the parts of a value, or None if it is a leaf."""
    kind = kind_of(value)
    if kind == "Leaf" or kind in _LEAVES:
        return None
    if kind in _SPECIAL:
        return dict(_SPECIAL[kind](value))
    if kind:
        return dict(_fields(value, kind))
    if isinstance(value, Mapping):
        entries = cast("Mapping[str, Any]", value)
        return {(str(name),): child for name, child in entries.items()}
    listed = _tuple_of(value)
    return _keyed(listed) if listed else None


def leaf(value: Any, field: str = "") -> Leaf:
    """Convert a scalar or list to a leaf. `field` is the record field, which determines the unit."""
    kind = kind_of(value)
    if isinstance(value, Leaf):
        return value
    if kind in _LEAVES:
        return Leaf(_LEAVES[kind](value))
    if value is None or value == () or value == "":
        return Leaf("", items=()) if value == () else ABSENT
    if isinstance(value, tuple | list):
        listed = cast("Sequence[Any]", value)
        items = tuple(item if isinstance(item, str) else leaf(item).text for item in listed)
        return Leaf(f"[{', '.join(items)}]", items=items, order=field in _ORDERED)
    if kind or isinstance(value, Mapping):
        return Leaf(spec_text(field, plain(value)))
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return Leaf(spec_text(field, value), float(value) if is_number else None)


def plain(value: Any, field: str = "") -> Json:
    """Return a value as a spec would write it, including nested values but omitting absent ones."""
    below = parts(value)
    if below is None:
        leaf_value = leaf(value, field)
        if leaf_value.items is not None:
            return list(leaf_value.items)
        is_plain = leaf_value.number is not None and leaf_value.text == f"{leaf_value.number:.10g}"
        return leaf_value.number if is_plain and leaf_value.number is not None else leaf_value.text
    result: dict[str, Json] = {}
    for steps, child in below.items():
        child_value = plain(child, steps[-1])
        if child_value not in ("", [], {}) or (kind_of(child) == "Leaf" and child.text):
            result[".".join(steps)] = child_value
    return result


def _fields(value: Any, kind: str) -> Iterator[tuple[Steps, Any]]:
    names: tuple[str, ...] = value.__match_args__
    for name in names:
        if (kind, name) not in _HIDDEN and not (name == "name" and kind in KEYED):
            child = getattr(value, name)
            is_empty = child == () and (kind, name) in _MAY_BE_EMPTY
            yield (word(kind, name),), Leaf("[]", items=()) if is_empty else _typed(child, name)


def _typed(value: Any, field: str) -> Any:
    """Return a scalar or list as a leaf in the unit of its field, and any other value unchanged."""
    if value is None or isinstance(value, bool | int | float | str):
        return leaf(value, field) if value is not None else None
    listed = _tuple_of(value)
    return leaf(value, field) if listed and all(isinstance(item, str) for item in listed) else value


def _tuple_of(value: object) -> tuple[Any, ...]:
    """Return the value if it is a tuple, otherwise an empty tuple."""
    if not isinstance(value, tuple):
        return ()
    return cast("tuple[Any, ...]", value)  # type: ignore[redundant-cast] # for pyright, its items are unknown


def _keyed(value: tuple[Any, ...]) -> Parts | None:
    """Return a tuple's entries by key if a spec writes the tuple as a mapping, or None if it writes a list."""
    first = value[0]
    kind = kind_of(first)
    if kind in KEYED:
        return {(str(item.alias if kind == "Stage" else item.name),): item for item in value}
    if len(_tuple_of(first)) == 2:
        return {(str(name),): _as_written(child) for name, child in value}
    if kind == "Machines":
        return {(str(at),): item for at, item in enumerate(value)}
    return None


def _as_written(value: Any) -> Leaf:
    """Wrap JSON in a leaf if it is passed through as written, even if it is a mapping."""
    exact = flow(value)
    return Leaf(exact, exact=exact) if isinstance(value, dict) else replace(leaf(value), exact=exact)


def _governance(value: Any) -> Iterator[tuple[Steps, Any]]:
    for steps, child in _fields(value, "Governance"):
        if steps == ("approvals",):
            yield ("approvals", "promote"), child
        elif steps == ("explainability",):
            yield steps, Leaf("required" if value.explainability else "optional")
        else:
            yield steps, child


def _budget(value: Any) -> Iterator[tuple[Steps, Any]]:
    yield ("monthly",), Leaf(f"{value.monthly:.10g} {value.currency}", value.monthly)
    yield ("onExceed",), Leaf(value.on_exceed)


def _target(value: Any) -> Iterator[tuple[Steps, Any]]:
    yield from (
        (("sites", *steps) if steps == ("waves",) else steps, child) for steps, child in _fields(value, "TargetSpec")
    )
    if getattr(value.options, "__match_args__", ()):
        of_provider = _fields(value.options, kind_of(value.options))
        yield from (part for part in of_provider if part[0][0] not in value.options.derived)
    if value.cluster.adopt:  # the provider's options have neither
        yield ("cluster", "cidr"), leaf(value.cluster.cidr)
        yield ("cluster", "nodePools"), leaf(value.cluster.node_pools)


def _machines(value: Any) -> Iterator[tuple[Steps, Any]]:
    for steps, child in _fields(value, "Machines"):
        if steps != ("price",):
            yield steps, child
    if value.price_hourly is not None:
        yield ("price",), Leaf(f"{value.price_hourly:.10g} {value.currency}", value.price_hourly)


def _channel(value: Any) -> Iterator[tuple[Steps, Any]]:
    secret = {"pagerduty": "key", "email": "password"}.get(value.type, "url")
    for steps, child in _fields(value, "Channel"):
        yield ((secret,) if steps == ("url",) else steps), child


def _slo(value: Any) -> Iterator[tuple[Steps, Any]]:
    for above, percentiles in (((), value.latency_ms), (("timeToFirstToken",), value.first_token_ms)):
        for quantile, milliseconds in percentiles:
            yield (*above, f"p{quantile * 100:g}".replace(".", "")), leaf(milliseconds, "_ms")
    yield ("availability",), leaf(value.availability, "availability")
    rate = value.tokens_per_second
    if rate is not None:
        yield ("tokensPerSecond", "min"), leaf(rate.minimum)
        yield ("tokensPerSecond", "share"), leaf(rate.share, "share")
    yield ("window",), leaf(value.window_s, "window_s")


def _tuning(value: Any) -> Iterator[tuple[Steps, Any]]:
    yield ("objective", "metric"), leaf(value.metric)
    yield ("objective", "goal"), leaf(value.goal)
    yield ("trials", "max"), leaf(value.trials)
    yield ("trials", "parallel"), leaf(value.parallel)
    yield ("earlyStopping",), leaf(value.early_stopping)
    yield ("seed",), leaf(value.seed)
    yield ("space",), value.space


def _auth(value: Any) -> Iterator[tuple[Steps, Any]]:
    yield ("type",), leaf(value.type)
    for caller in value.callers:
        yield caller.field, leaf(caller.token)


def _inference(value: Any) -> Iterator[tuple[Steps, Any]]:
    yield from (part for part in _fields(value, "Inference") if part[0] != ("adapters",))
    yield from ((("adapters", adapter.name), leaf(adapter.model)) for adapter in value.adapters)
    shares = (f"{variant.name} {variant.percent}" for variant in value.variants if variant.percent)
    yield ("traffic",), Leaf(", ".join(shares))


def _variant(value: Any) -> Iterator[tuple[Steps, Any]]:
    for steps, child in _fields(value, "Variant"):
        if steps != ("percent",):
            yield steps, child


def _pipeline(value: Any) -> Iterator[tuple[Steps, Any]]:
    """Yield a pipeline's fields. For pipelines without `steps`, these include the fields of the implicit step."""
    only = value.steps[0] if len(value.steps) == 1 and value.steps[0].path == ("pipelines", value.name) else None
    for steps, child in _fields(value, "Pipeline"):
        if steps == ("promoteTo",) and value.type != "training":  # only training promotes
            continue
        if steps == ("model",) and value.type == "training":  # its alias is the alias that it promotes to
            yield steps, leaf(value.model.model if value.model else "")
        elif steps == ("steps",) and only is not None:
            own = {("source",): only.source, ("trainer",): leaf(only.trainer), ("parameters",): only.parameters}
            yield from {**own, ("compute",): leaf(only.compute), ("workers",): only.workers}.items()
        else:
            yield steps, child


def _schedule(value: Any) -> Iterator[tuple[Steps, Any]]:
    if value.kind == "cron":
        yield ("cron",), leaf(value.cron)
        yield ("timeZone",), leaf(value.time_zone)
        yield ("startingDeadline",), leaf(value.starting_deadline_s, "_s")
    if value.kind == "after":
        yield ("after",), leaf(value.after)
    if value.kind in {"cron", "after"}:
        yield ("overlap",), leaf(value.overlap)


def _override(value: Any) -> Iterator[tuple[Steps, Any]]:
    yield ("target",), leaf(value.target)
    yield ("object",), Leaf(f"{value.kind}/{value.object}")
    yield ("patch",), Leaf(spec_text("", [dict(operation) for operation in value.patch]))
    yield ("reason",), leaf(value.reason)


def _parameter(value: Any) -> str:
    if value.kind == "choice":
        return spec_text("", {"choice": list(value.choices)})
    return f"{{{value.kind}: [{value.low:.10g}, {value.high:.10g}]}}"


def _window(value: Any) -> str:
    days: tuple[int, ...] = value.days
    names = ", ".join(("mon", "tue", "wed", "thu", "fri", "sat", "sun")[day] for day in days)
    return f"{names} {_clock(value.from_minute)}-{_clock(value.to_minute)}"


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


_SPECIAL: Final[Mapping[str, Callable[[Any], Iterator[tuple[Steps, Any]]]]] = {
    "Governance": _governance,
    "Budget": _budget,
    "TargetSpec": _target,
    "Machines": _machines,
    "Channel": _channel,
    "Slo": _slo,
    "Tuning": _tuning,
    "Auth": _auth,
    "Inference": _inference,
    "Variant": _variant,
    "Pipeline": _pipeline,
    "Schedule": _schedule,
    "Override": _override,
}
"""Records whose fields do not correspond one-to-one to fields in a spec."""

_LEAVES: Final[Mapping[str, Callable[[Any], str]]] = {
    "SecretRef": lambda value: f"secret://{value.store}/{value.path}" + (f"#{value.key}" if value.key else ""),
    "ModelRef": lambda value: f"{value.model}@{value.alias}",
    "Accelerator": lambda value: f"{value.name}:{value.count}",
    "Parameter": _parameter,
    "ChangeWindow": _window,
    "Freeze": lambda value: f"{value.first} to {value.last}" + (f" ({value.reason})" if value.reason else ""),
    "Reprocess": lambda value: value.kind if value.window_s is None else f"window {spec_text('_s', value.window_s)}",
    "Taint": lambda value: f"{value.key}={value.value}:{value.effect}",
}
"""Records that a spec writes as a single value or list item, each with the function that writes it."""
