"""Hash the meaning of a spec in an environment, regardless of how it is written.

Formatting, comments, key order, variables and short forms don't affect the hash, but a different value does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, cast

from modelyard.hashing import sha256
from modelyard.same import AS_WRITTEN

if TYPE_CHECKING:
    from modelyard.spec import System

KEYED: Final = frozenset(
    {
        *("Check", "Stage", "Variant", "TargetSpec", "SecretStore", "Approvers", "Override", "Dataset", "Model"),
        *("Pipeline", "Inference", "Monitor", "Channel", "Parameter", "Step", "Caller", "NamedAdapter"),
    }
)
"""Records that are mapping entries in a spec, which means that their order is not significant."""

_PLACES: Final = frozenset({"Document", "Span"})
"""Types that store where a value was written, which is not part of the value."""


def values_hash(system: System) -> str:
    """Return a hash of an environment's typed spec as 64 hexadecimal digits."""
    return sha256(written(system).encode("utf-8", "surrogatepass")).hexdigest()


def written(value: Any, is_as_written: bool = False) -> str:
    """Serialize a value so that different values never have the same text.

    1 and 1.0 are the same value, except in JSON that is passed through as written.
    """
    kind = _class_of(value)
    if issubclass(kind, str):  # first, because most values are strings
        return f"{len(value)}:{value}"
    if value is None:
        return "None"
    if issubclass(kind, float) and value.is_integer() and not is_as_written:
        return repr(int(value))
    if issubclass(kind, (bool, int, float)):
        return repr(value)
    if issubclass(kind, (tuple, list, frozenset)):
        texts = [written(item, is_as_written) for item in value]
        return _joined("list", sorted(texts) if _is_unordered(value) else texts)
    if not hasattr(kind, "__match_args__") and issubclass(kind, Mapping):  # an abstract class is slow to check
        entries = cast("Mapping[str, Any]", value)
        texts = [f"{written(name)}={written(child, is_as_written)}" for name, child in entries.items()]
        return _joined("map", sorted(texts))
    return _record(value)


def _class_of(value: object) -> type[object]:
    """Return a value's class, which selects how to serialize it. With `isinstance`, item types would stay unknown."""
    return type(value)


def _record(value: Any) -> str:
    kind = type(value).__name__
    if kind in _PLACES:
        return kind
    names: tuple[str, ...] = getattr(value, "__match_args__", ())  # a provider without options has an empty class
    as_written = AS_WRITTEN.get(kind, ())
    return _joined(kind, [written(getattr(value, name), name in as_written) for name in names])


def _joined(kind: str, texts: Iterable[str]) -> str:
    return f"{kind}({''.join([f'{len(text)};{text}' for text in texts])})"


def _is_unordered(value: Any) -> bool:
    """Return whether items come from a mapping or set, in which case they must be sorted by key."""
    return type(value) is frozenset or all(type(item).__name__ in KEYED or _is_pair(item) for item in value)


def _is_pair(item: Any) -> bool:
    return issubclass(_class_of(item), tuple) and len(item) == 2
