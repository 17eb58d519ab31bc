"""Find where a value violates the schema, representing each error as a Fault.

The validator only decides whether part of a document is valid. This module determines why it isn't.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from itertools import islice
from typing import Final

from modelyard.diagnostics.bounds import MOST_MISTAKES
from modelyard.keywords import FITS
from modelyard.nearest import nearest_name, words_of
from modelyard.records import record, replace
from modelyard.shape import Excluded, Schema, Shape, branch_names, definition, schema_of, texts
from modelyard.source import Json, Path

_ASKED_DEPTH: Final = 2
"""The depth in a document to which the fast validator is used. It covers sections and their named entries."""


@record(eq=False)
class Fault:
    """An error: the violated keyword, the value, and the shape that the schema expects there.

    `name` is the field that is missing, unknown, excluded or badly named. `shape` is the shape of the missing field or
    of the bad name, if that is the error, otherwise of the value at `path`. `others` holds the fields in which an
    unknown field would be allowed, or the fields that belong inside an empty field. `above` is the path of the parent
    mapping in which an unknown field is allowed but absent, and `form` is an example of its value there if the value
    written does not fit. `beside` is the only field next to the parent mapping that has a subfield with the unknown
    field's name. `inner` is the unknown field's name within the first of `others`.
    """

    path: Path
    keyword: str
    argument: Json
    value: Json
    shape: Shape
    name: str = ""
    others: tuple[str, ...] = ()
    above: Path | None = None
    inner: str = ""
    form: Json = None
    beside: str = ""


class Faults:
    """Finds the errors in a document.

    `fits` is a much faster validator, used near the top of the document. Anything it finds valid isn't examined
    further.
    """

    def __init__(self, root: Schema, fits: Callable[[Schema, Json], bool] | None = None) -> None:
        self._root = root
        self._known_to_fit = fits
        self._valid: dict[tuple[int, int], bool] = {}
        self._around: list[tuple[Path, Shape, dict[str, Json]]] = []

    def of(
        self, schemas: Iterable[Schema], value: Json, path: Path = (), excused: Container[str] = ()
    ) -> Iterator[Fault]:
        """Find the errors in a value and everything below it, in document order.

        `excused` holds fields that aren't reported as missing because a parent mapping contains them.
        """
        shape = self.shape(schemas, value)
        wrong = self._value_fault(shape, value, path)
        if wrong is not None and wrong.keyword == "type":  # conditions only apply to mappings
            yield replace(wrong, shape=self.shape(schemas, {})) if isinstance(value, bool | int | float) else wrong
            return
        if wrong is not None:
            yield wrong
        if isinstance(value, dict):
            outdented = self._outdented(shape, value)
            misplaced = {name for below in outdented.values() for name in below}
            unnamed = [name for name in self._unnamed(shape, value) if name not in misplaced]
            misplaced.update(unnamed)
            faults = list(self._field_faults(shape, value, path, outdented))
            yield from (
                candidate for candidate in faults if not (candidate.keyword == "required" and candidate.name in excused)
            )
            if unnamed:
                yield Fault((*path, unnamed[0]), "unnamed", None, value, shape, unnamed[0], tuple(unnamed))
            self._around.append((path, shape, value))
            moved: dict[str, set[str]] = {}
            for fault in faults:
                for home in fault.others if fault.keyword == "unknown" else ():
                    moved.setdefault(home, set()).add(fault.name)
            for name, child in value.items():
                if name not in outdented and name not in misplaced:
                    yield from self._child_faults(shape.children(name), child, (*path, name), moved.get(name, ()))
            self._around.pop()
        elif isinstance(value, list):
            items = [schema_of(schema["items"]) for schema in shape.schemas if "items" in schema]
            for at, child in enumerate(value):
                yield from self._child_faults(items, child, (*path, at))

    def _child_faults(
        self, schemas: list[Schema], value: Json, path: Path, excused: Container[str] = ()
    ) -> Iterator[Fault]:
        near_the_top = len(path) <= _ASKED_DEPTH and isinstance(value, dict | list) and len(schemas) == 1
        if near_the_top and self._known_to_fit and self._known_to_fit(schemas[0], value):
            return
        if schemas:
            yield from self.of(schemas, value, path, excused)

    def _value_fault(self, shape: Shape, value: Json, path: Path) -> Fault | None:
        for keyword, fits in FITS.items():
            for schema in shape.schemas:
                if keyword in schema and not fits(value, schema[keyword]):
                    if keyword == "maxProperties" and isinstance(value, dict) and self._unknown_names(shape, value):
                        continue  # excess fields are reported by name
                    return Fault(path, keyword, schema[keyword], value, shape)
        return None

    # --- fields of a mapping

    def _field_faults(
        self, shape: Shape, value: dict[str, Json], path: Path, outdented: dict[str, list[str]]
    ) -> Iterator[Fault]:
        missing = [name for name in shape.required() if name not in value]
        for name, below in outdented.items():
            yield Fault(
                (*path, name), "outdented", None, None, self.shape(shape.children(name), {}), name, tuple(below)
            )
        misplaced = {name for below in outdented.values() for name in below}
        for name in islice(self._unknown_names(shape, value), MOST_MISTAKES):  # the maximum number of reported errors
            if name not in misplaced:
                fault = self._unknown(shape, name, value, path)
                meant = self._closest_field(fault)
                if meant in missing:
                    missing.remove(meant)
                yield fault
        for name in missing:
            yield Fault(path, "required", None, value, self.shape(shape.children(name), None), name)
        for schema in shape.schemas:
            for name, dependencies in schema_of(schema.get("dependentRequired")).items():
                for other in texts(dependencies):
                    if name in value and other not in value:
                        yield Fault((*path, name), "dependentRequired", other, value, shape, name)
            if "propertyNames" in schema:
                yield from self._name_faults(schema_of(schema["propertyNames"]), value, path)

    def _unknown_names(self, shape: Shape, value: dict[str, Json]) -> list[str]:
        if not shape.closed:
            return []
        known = set(shape.names())
        return [name for name in value if name not in known]

    def _closest_field(self, unknown: Fault) -> str | None:
        """Return the known field that an unknown field was probably meant to be, or that should contain this field."""
        known = unknown.shape.names()
        beginning = unknown.name.split(":", 1)[0]
        if beginning in known:
            return beginning
        return nearest_name(unknown.name, known) or next((home.split(".")[0] for home in unknown.others), None)

    def _outdented(self, shape: Shape, value: dict[str, Json]) -> dict[str, list[str]]:
        """Map each empty field to the fields right after it that belong inside it."""
        result: dict[str, list[str]] = {}
        unknown = set(self._unknown_names(shape, value))
        empty: str | None = None
        for name, child in value.items():
            if empty is not None and self._belongs_below(shape, empty, name, name in unknown):
                result.setdefault(empty, []).append(name)
            else:
                empty = name if child is None and name not in unknown else None
        return result

    def _belongs_below(self, shape: Shape, field: str, name: str, is_unknown: bool) -> bool:
        """Return whether a name belongs inside the preceding field rather than next to it.

        If users choose the names inside that field, any unknown name belongs there.
        """
        if shape.closed and not is_unknown:
            return False
        below = self.shape(shape.children(field), {})
        return name in below.names() or (is_unknown and bool(schema_of(below.first("additionalProperties"))))

    def _homes(self, shape: Shape, name: str) -> Iterator[str]:
        """Yield the fields that have a subfield with this name, as `field` or `field.NAME`."""
        for field in shape.names():
            below = self.shape(shape.children(field), {})
            if name in below.names():
                yield field
            elif name in self.shape([schema_of(below.first("additionalProperties"))], {}).names():
                yield f"{field}.NAME"

    def _unknown(self, shape: Shape, name: str, value: dict[str, Json], path: Path) -> Fault:
        elsewhere = any(name in branch_names([excluded.branch]) for excluded in shape.excluded)
        keyword = "excluded" if elsewhere else "unknown"
        homes, inner = tuple(self._homes(shape, name)), ""
        if not homes:
            homes, inner = self._halves(shape, name)
        above, form = self._above(name, value[name])
        beside = self._beside(name, path)
        return Fault((*path, name), keyword, None, value, shape, name, homes, above, inner, form, beside)

    def _halves(self, shape: Shape, name: str) -> tuple[tuple[str, ...], str]:
        """Split a name into the names of a field and one of its subfields."""
        words = words_of(name)
        for field, inner in (words, reversed(words)) if len(words) == 2 else ():
            if field in shape.names() and inner in self.shape(shape.children(field), {}).names():
                return (field,), inner
        return (), ""

    def _above(self, name: str, written: Json) -> tuple[Path | None, Json]:
        """Return the innermost parent mapping that allows a field with exactly this name and lacks it.

        If the written value does not fit the field there, an example of a value that does comes with it.
        """
        for path, shape, value in reversed(self._around):
            if name in shape.names() and name not in value:
                schemas = shape.children(name)
                fits = all(self._fits(schema, written) for schema in schemas)
                return path, None if fits else _form(self.shape(schemas, {}))
        return None, None

    def _beside(self, name: str, path: Path) -> str:
        """Return the only field next to a mapping that has a subfield with this name, or "" if none or several have."""
        if not self._around:
            return ""
        _, shape, value = self._around[-1]
        others = (field for field in shape.names() if field != path[-1])
        having = [field for field in others if name in self.shape(shape.children(field), value.get(field, {})).names()]
        return having[0] if len(having) == 1 else ""

    def _unnamed(self, shape: Shape, value: dict[str, Json]) -> list[str]:
        """Return the fields of an entry without a name, which are directly in the mapping of entries."""
        entries = schema_of(shape.first("additionalProperties"))
        if not entries or shape.names():
            return []
        entry = self.shape([entries], {})
        known = entry.names()
        fields = [name for name in value if name in known and self._is_field(entry, entries, name, value[name])]
        return list(value) if fields and all(name in known for name in value) else fields

    def _is_field(self, entry: Shape, entries: Schema, name: str, value: Json) -> bool:
        """Return whether a value has the wrong type for an entry but fits the field of an entry that has this name."""
        wrong = self._value_fault(self.shape([entries], value), value, ())
        if value is None or wrong is None or wrong.keyword != "type":
            return False
        return all(self._fits(schema, value) for schema in entry.children(name))

    def _name_faults(self, schema: Schema, value: dict[str, Json], path: Path) -> Iterator[Fault]:
        for name in value:
            shape = self.shape([schema], name)
            wrong = self._value_fault(shape, name, path)
            if wrong is not None:
                yield Fault((*path, name), "propertyNames", wrong.argument, name, shape, name)

    # --- which schemas apply

    def shape(self, schemas: Iterable[Schema], value: Json) -> Shape:
        """Collect the schemas that apply to a value, with references resolved and branches chosen."""
        shape = Shape()
        for schema in schemas:
            self._gather(schema, value, shape)
        return shape

    def _gather(self, schema: Schema, value: Json, shape: Shape) -> None:
        shape.schemas.append(schema)
        reference = schema.get("$ref")
        if isinstance(reference, str):
            self._gather(definition(self._root, reference), value, shape)
        for part in _schemas(schema.get("allOf")):
            self._gather(part, value, shape)
        for keyword in ("oneOf", "anyOf"):
            if schema.get(keyword):
                self._gather(self._best(_schemas(schema[keyword]), value), value, shape)
        if "if" in schema:
            self._choose(schema, value, shape)

    def _choose(self, schema: Schema, value: Json, shape: Shape) -> None:
        condition = schema_of(schema["if"])
        branches = [schema_of(schema.get("then")), schema_of(schema.get("else"))]
        if isinstance(value, dict) and self._undecided(condition, branches, value, shape):
            shape.possible += branches
            return
        is_met = self._fits(condition, value)
        chosen, other = branches if is_met else reversed(branches)
        shape.excluded.append(Excluded(condition, other, is_met))
        self._gather(chosen, value, shape)

    def _undecided(self, condition: Schema, branches: list[Schema], value: dict[str, Json], shape: Shape) -> bool:
        """Return whether a condition is undecided because the field that it tests is missing, misspelled or invalid."""
        looked_at = [*texts(condition.get("required")), *schema_of(condition.get("properties"))]
        known = {*shape.names(), *branch_names(branches)}
        for name in dict.fromkeys(looked_at):
            if name in value:
                if any(True for _ in Faults(self._root).of(shape.children(name), value[name])):
                    return True
            elif name in shape.required() or any(key not in known and nearest_name(key, [name]) for key in value):
                return True
        return False

    def _best(self, branches: list[Schema], value: Json) -> Schema:
        """Return the branch a value matches or was meant for, i.e. whose type and constants fit, with few errors."""
        return min(branches, key=lambda branch: self._distance(branch, value))

    def _distance(self, branch: Schema, value: Json) -> tuple[bool, bool, int]:
        faults = [] if self._fits(branch, value) else list(Faults(self._root).of([branch], value))
        wrong_type = any(fault.keyword == "type" and not fault.path for fault in faults)
        wrong_constant = any(fault.keyword in {"const", "enum"} and len(fault.path) <= 1 for fault in faults)
        return wrong_type, wrong_constant, len(faults)

    def _fits(self, schema: Schema, value: Json) -> bool:
        if not isinstance(value, dict | list):
            return next(Faults(self._root).of([schema], value), None) is None
        key = (id(schema), id(value))
        if key not in self._valid:
            inner = Faults(self._root)
            inner._valid = self._valid
            self._valid[key] = next(inner.of([schema], value), None) is None
        return self._valid[key]


def _form(shape: Shape) -> Json:
    """Return an example of a value, or a mapping of its required fields."""
    example = shape.example()
    required = shape.required()
    return dict.fromkeys(required, "VALUE") if example is None and required else example


def _schemas(value: Json) -> list[Schema]:
    return [schema_of(schema) for schema in value] if isinstance(value, list) else []
