"""Read a usage file and its price book, validate both against the schema and spec, and return typed values."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Final, cast

import modelyard_schemas
from modelyard.diagnostics import Diagnostic, has_errors, nearest
from modelyard.diagnostics import usage as problems
from modelyard.inputs import InputFile
from modelyard.load import load
from modelyard.nodes import Node, mapping, number, text
from modelyard.records import record
from modelyard.shape import Schema, schema_of
from modelyard.source import Document, Json, Path
from modelyard.spec import System
from modelyard.units import duration_ms, duration_s, duration_text, fraction
from modelyard.usage import PlatformUsage, Requests, Rows, Runs, Usage, way_between
from modelyard.validate import Fits, python_fits, rust_fits, validate_with

_SECTIONS: Final = ("inference", "pipelines", "monitors", "data")
_SCALES: Final = {
    "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40,
}  # fmt: skip
_GB: Final = 1e9
_Prices = Mapping[tuple[str, str, str], float]


@record
class UsageFiles:
    """A usage file and its price book, as read. `book` is None if the usage file doesn't name one."""

    usage: InputFile
    book: InputFile | None = None


def price_book(file: InputFile) -> str:
    """Return the price book named in a usage file, or "" if there is none. The file needn't be valid."""
    document, _ = load(file.content, file.path, may_be_empty=True)
    book_name = document.value.get("priceBook") if document is not None else None
    return book_name if isinstance(book_name, str) else ""


def read_usage(
    files: UsageFiles, system: System, items: Callable[[str], Collection[str]]
) -> tuple[Usage, tuple[Diagnostic, ...]]:
    """Return a system's usage from a usage file, and the errors in the file.

    `items` returns the items that a provider has prices for.
    """
    schema = _schema()
    document, problems = _valid(schema, files.usage)
    if document is None:
        return Usage(), problems
    prices, source, more = _prices(document, files)
    usage = _usage(document, prices, source)
    checked = (*_unknown(document, system), *_impossible(document, system), *more)
    checked = (*checked, *_unknown_items(document, files, system, prices, items))
    return usage, checked


def _valid(schema: Schema, file: InputFile) -> tuple[Document | None, tuple[Diagnostic, ...]]:
    document, problems = load(file.content, file.path, may_be_empty=True)
    if document is None or has_errors(problems):
        return None, problems
    problems = validate_with(schema, _fits(schema), document)
    return (None, problems) if has_errors(problems) else (document, ())


@lru_cache(maxsize=1)
def _schema() -> Schema:
    return cast("Schema", modelyard_schemas.load("usage"))


def _book_schema() -> Schema:
    """Return the schema of a price book, which is the price section of the usage file's schema."""
    schema = _schema()
    return {**schema_of(schema_of(schema["properties"])["prices"]), "$defs": schema["$defs"]}


def _fits(schema: Schema) -> Fits:
    try:
        return rust_fits(schema)
    except ImportError:
        return python_fits(schema)


def _usage(document: Document, prices: _Prices, source: str) -> Usage:
    node = document.value
    platform = mapping(node, "platform")
    return Usage(
        {name: _requests(entry) for name, entry in _entries(node, "inference")},
        {name: _runs(entry) for name, entry in _entries(node, "pipelines")},
        {name: _runs(entry) for name, entry in _entries(node, "monitors")},
        {
            name: Rows(_scaled(entry["rowsPerDay"]), _scaled(entry["bytesPerRow"]))
            for name, entry in _entries(node, "data")
        },
        PlatformUsage(
            _gigabytes(platform, "logsPerMonth"),
            _gigabytes(platform, "internetPerMonth"),
            _number(platform, "rolloutsPerMonth", 4.0),
            _seconds(platform, "rolloutTime") or 1800,
        ),
        {category: fraction(str(share)) or 0.0 for category, share in mapping(node, "discounts").items()},
        prices,
        source,
        {pair: _scaled(amount) / _GB for pair, amount in _pairs(node)},
    )


def _pairs(node: Node) -> Iterator[tuple[tuple[str, str], Json]]:
    """Yield the traffic between pairs of targets, keyed by source and destination name."""
    for here, amounts in _entries(node, "crossings"):
        yield from (((here, there), amount) for there, amount in amounts.items())


def _entries(node: Node, section: str) -> Iterator[tuple[str, Node]]:
    for name in mapping(node, section):
        yield name, mapping(mapping(node, section), name)


def _requests(node: Node) -> Requests:
    rps = mapping(node, "rps")
    mean = _number(rps, "mean", 0.0)
    milliseconds = duration_ms(text(node, "requestTime", "100ms")) or 100
    return Requests(
        mean,
        _number(rps, "peak", mean),
        _number(rps, "peakHours", 4.0),
        int(_scaled(node.get("requestBytes", 2000))),
        int(_scaled(node.get("responseBytes", 500))),
        milliseconds / 1000,
    )


def _runs(node: Node) -> Runs:
    return Runs(_seconds(node, "typical"), number(node, "runsPerMonth"))


def _seconds(node: Node, field: str) -> int | None:
    return duration_s(text(node, field)) if field in node else None


def _number(node: Node, field: str, default: float) -> float:
    value = number(node, field)
    return default if value is None else float(value)


def _gigabytes(node: Node, field: str) -> float | None:
    return _scaled(node[field]) / _GB if field in node else None


def _scaled(value: Json) -> float:
    """Return a number with its unit applied. The schema has already checked the unit."""
    if not isinstance(value, str):
        return float(cast("float", value))
    unit = value.lstrip("0123456789.")
    return float(value.removesuffix(unit)) * _SCALES[unit]


def _prices(document: Document, files: UsageFiles) -> tuple[_Prices, str, tuple[Diagnostic, ...]]:
    """Return the prices from the book, overridden by those in the usage file, and their source."""
    own = dict(_flat(mapping(document.value, "prices")))
    if files.book is None:
        return own, files.usage.path, ()
    book, problems = _valid(_book_schema(), files.book)
    shared = dict(_flat(book.value)) if book is not None else {}
    return {**shared, **own}, files.book.path, problems


def _flat(node: Node) -> Iterator[tuple[tuple[str, str, str], float]]:
    for provider, regions in node.items():
        for region in cast("Node", regions):
            for item, amount in mapping(cast("Node", regions), region).items():
                yield (provider, region, item), float(cast("float", amount))


def _unknown(document: Document, system: System) -> Iterator[Diagnostic]:
    """Report entries that are not in the spec."""
    known: dict[str, Collection[str]] = {
        "inference": system.inference, "pipelines": system.pipelines, "monitors": system.monitors, "data": system.data,
    }  # fmt: skip
    for section in _SECTIONS:
        for name in mapping(document.value, section):
            if name not in known[section]:
                near = nearest(name, known[section], "did you mean {}?")
                yield problems.unknown_address(document.key_span((section, name)), section, name, near)
    yield from _unknown_targets(document, [target.name for target in system.deployment.targets])


def _unknown_targets(document: Document, known: Collection[str]) -> Iterator[Diagnostic]:
    places: dict[Path, str] = {}
    for here, there in (pair for pair, _ in _pairs(document.value)):
        places |= {("crossings", here): here, ("crossings", here, there): there}
    for place, name in places.items():
        if name not in known:
            near = nearest(name, known, "did you mean {}?")
            yield problems.unknown_address(document.key_span(place), "targets", name, near)


def _impossible(document: Document, system: System) -> Iterator[Diagnostic]:
    """Report peaks below the mean, runs longer than their timeout, and rows or traffic that cost nothing here."""
    for name, node in _entries(document.value, "inference"):
        requests = _requests(node)
        if requests.peak < requests.mean:
            span = document.value_span(("inference", name, "rps", "peak"))
            yield problems.peak_below_mean(span, name, requests.peak, requests.mean)
    for name, node in _entries(document.value, "pipelines"):
        typical, pipeline = _seconds(node, "typical"), system.pipelines.get(name)
        if pipeline is not None and typical is not None and typical > pipeline.timeout_s:
            span = document.value_span(("pipelines", name, "typical"))
            yield problems.longer_than_timeout(span, name, duration_text(typical), duration_text(pipeline.timeout_s))
    for name, _ in _entries(document.value, "data"):
        dataset = system.data.get(name)
        store = system.stores.get(dataset.store) if dataset is not None else None
        if dataset is not None and (store is None or store.adopt):
            yield problems.rows_paid_elsewhere(document.key_span(("data", name)), name, dataset.store)
    targets = {target.name: target for target in system.deployment.targets}
    for (here, there), _ in _pairs(document.value):
        if here in targets and there in targets and not way_between(targets[here], targets[there]):
            yield problems.crossing_without_charge(document.key_span(("crossings", here, there)), here, there)


def _unknown_items(
    document: Document, files: UsageFiles, system: System, prices: _Prices, items: Callable[[str], Collection[str]]
) -> Iterator[Diagnostic]:
    """Report prices for unknown items, which neither the provider nor the target's capacity lists."""
    book = None if files.book is None else load(files.book.content, files.book.path, may_be_empty=True)[0]
    places: Iterable[tuple[Document, Path]] = ((document, ("prices",)), *(((book, ()),) if book is not None else ()))
    for where, prefix in places:
        node = mapping(where.value, "prices") if prefix else where.value
        for provider, region, item in (key for key, _ in _flat(node) if key in prices):
            known = _capacity(system, region) if provider == "kubernetes" else items(provider)
            if item not in known:
                near = nearest(item, known, "did you mean {}?")
                yield problems.unknown_item(where.key_span((*prefix, provider, region, item)), provider, item, near)


def _capacity(system: System, target: str) -> Collection[str]:
    matches = (entry for entry in system.deployment.targets if entry.name == target)
    return [f"capacity[{at}]" for entry in matches for at in range(len(entry.capacity))]
