"""Tests that schema validation reports each error once and at its position, with a useful hint."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import modelyard_schemas
from modelyard.diagnostics import Diagnostic
from modelyard.keywords import FITS
from modelyard.load import load
from modelyard.printing.diagnostics import render
from modelyard.shape import Schema, schema_of
from modelyard.source import Document, Json
from modelyard.validate import python_fits, rust_fits, validate, validate_with
from modelyard.validate.small import SUPPORTED, SmallFits
from tests.compiler.conftest import Examined, Loaded
from tests.places import places
from tests.specs import VALID_SPEC

SYSTEM = cast("Schema", modelyard_schemas.load())
HEAD = """\
apiVersion: modelyard.dev/v1alpha1
kind: MLSystem
metadata: {name: fraud}
governance: {owner: {team: payments-risk, email: payments-risk@acme.example}}
deployment: {mode: on-prem, provider: kubernetes, context: frankfurt}
"""


@pytest.mark.parametrize(
    ("part", "expected", "hint"),
    [
        ("stores: {lake: {type: object, retentoin: 3d}}", "6:31 E0203", "did you mean 'retention'?"),
        ("stores: {lake: {type: object, Retention: 3d}}", "6:31 E0203", "did you mean 'retention'?"),
        ("stores: {lake: {type: object, retentoin: {retention: 3d}}}", "6:31 E0203", "did you mean 'retention'?"),
        ("stores: {lake: {tpye: object, retention: 3d}}", "6:17 E0203", "did you mean 'type'?"),
        ("stores: {lake: {type:object}}", "6:17 E0203", "put a space after the colon: 'type: …'"),
        ("stores: {lake: {retention: 3d}}", "6:10 E0202", "add 'type': one of object, database"),
        ("stores: {lake: {type: Object}}", "6:23 E0204", "did you mean 'object'?"),
        ("stores: {lake: {type: object, size: 1Gi}}", "6:31 E0209",
         "`size` requires `type: database`, but `type` is object"),
        ("stores: {lake: {type: object, versioned: no}}", "6:42 E0201", "write false; in YAML 1.2, 'no' is a string"),
        ("stores: {lake: {type: object, versioned: 'true'}}", "6:42 E0201", "write true without quotes"),
        ("stores: {Lake: {type: object}}", "6:10 E0210", "did you mean 'lake'?"),
        ("stores: [{name: lake}]", "6:9 E0201",
         "write a mapping keyed by name, such as 'name: …', without dashes"),
        ("stores:", "6:1 E0201", "remove the line, or give it a value"),
        ("stores: {runs: {type: database, replicas: '3'}}", "6:43 E0201", "write 3 without quotes"),
        ("stores: {runs: {type: database, replicas: 0}}", "6:43 E0206", ""),
        ("stores: {runs: {type: database, size: 20}}", "6:39 E0201", "did you mean '20Gi'?"),
        ("stores: {runs: {type: database, colour: x}}", "6:33 E0203",
         "available fields: type, target, forEach, adopt, credentials, size, replicas"),
        ("models: fraud", "6:9 E0201", "write a mapping keyed by name: 'name: …'"),
        ("models: {m: {task: ranking, framework: custom, card: {purpose: 5}}}", "6:64 E0201", "put it in quotes: '5'"),
        ("compute: {t: {cpu: 4, memory: 1Gi, accelerators: [L4: 1]}}", "6:51 E0201", "write L4:1, without a space"),
        ("compute: {t: {cpu: 4, memory: 1Gi, accelerators: {L4: 1}}}", "6:50 E0201", "write L4:1, without a space"),
        ("compute: {t: {cpu: 4, memory: 1Gi, accelerators: 1}}", "6:50 E0201", "write it as in [\"L4:1\", \"A10G:1\"]"),
        ("compute: {t: {cpu: 4, memory: 1Gi, gpu: 1}}", "6:36 E0203", "did you mean 'accelerators'?"),
        ("compute: {t: {cpu: 4, memory: 1Gi, region: eu}}", "6:36 E0203",
         "available fields: cpu, memory, capacity, elastic, disk, accelerators"),
        ("data: {t: {format: csv, uri: 's3://a/b', features: {a: , b: }}}", "6:52 E0201", "write a list: [a, b]"),
        ("pipelines: {p: {type: custom, inputs: {a: 5}}}", "6:39 E0201", "begin each entry with '- '"),
        ("pipelines: {p: {type: custom, workers: 2-4}}", "6:40 E0201", "write {min: 2, max: 4}"),
        ("pipelines: {p: {type: custom, workers: 1_000}}", "6:40 E0201", "write 1000"),
        ("pipelines: {p: {type: custom, workers: [1, 2]}}", "6:40 E0201", "write a mapping such as {min: 1, max: 8}"),
        ("pipelines: {p: {type: custom, cron: 0 4 * * 1}}", "6:31 E0203", "move it under 'schedule'"),
        ("pipelines: {p: {type: custom, schedule: 0 4 * * 1}}", "6:41 E0205", 'write {cron: "0 4 * * 1"}'),
        ("pipelines: {p: {type: custom, schedule: daily}}", "6:41 E0205", 'write {cron: "0 0 * * *"}'),
        ("channels: {c: {type: email, to: a@b.example, from: a@b.example, smarthost: 'm:25', url: secret://v/a#b}}",
         "6:84 E0209", "`url` requires `type` to be slack or webhook, but `type` is email"),
        ("monitors: {m: {type: data-drift, watch: inference.s}}", "6:12 E0202",
         "add 'checks', as in 'checks: {psi: {max: 0.2}}'"),
        ("stores: {lake: {type: object, adopt: [acme-lake]}}", "6:38 E0201", "write acme-lake without brackets"),
        ("stores: {lake: {type: s3}}", "6:23 E0204", "did you mean 'object'?"),
        ("monitors: {m: {checks: {psi: 0.2}, type: data-drift, watch: inference.s}}", "6:30 E0201",
         "write a mapping such as {max: 0.2}"),
        ("inference: {s: {model: m@live, compute: c}}", "6:17 E0203", "move it under 'variants.NAME'"),
        ("inference: {s: {compute: c, traffic: 5, variants: {a: {model: m@b}}}}", "6:38 E0201",
         "write a mapping such as {champion: 95, challenger: 5}"),
        ("compute: {cpu: {cpu: 4, memory: 16GB}}", "6:33 E0205", "did you mean '16G'?"),
        ("compute: {t: {cpu: 4, memory: 1Gi, accelerators: []}}", "6:36 E0207", ""),
        ("data: {t: {format: csv, uri: 's3://a/b', path: b}}", "6:42 E0209", "use either `path` or `uri`"),
        ("data: {t: {format: csv, store: lake, path: x, features: [a, b, a]}}", "6:64 E0208", "remove one of the two"),
        ("channels: {c: {type: pagerduty, key: hunter2}}", "6:38 E0212",
         "use a secret reference such as secret://vault/pagerduty#fraud"),
        ("channels: {c: {type: pagerduty, key: 12345678}}", "6:38 E0212",
         "use a secret reference such as secret://vault/pagerduty#fraud"),
        ("channels: {c: {type: pagerduty, key: 'secret://vault/duty'}}", "6:38 E0212",
         "append '#' and the key within the secret"),
        ("channels: {c: {type: pagerduty, key: 'secret://vault/../duty#k'}}", "6:38 E0212",
         "use a secret reference such as secret://vault/pagerduty#fraud"),
        ("stores: {s: {type: object, adopt: lake, credentials: 'secret://vault/lake#x'}}", "6:54 E0212", "remove '#x'"),
        ("governanse: {risk: high}", "6:1 E0203", "did you mean 'governance'?"),
    ],
)  # fmt: skip
def test_each_error_is_reported_once_at_its_place(examined: Examined, part: str, expected: str, hint: str) -> None:
    """The wrong key or value itself is marked, with a hint if the user can fix the error."""
    diagnostics = examined(f"{HEAD}{part}\n")

    assert places(diagnostics) == [expected]
    assert diagnostics[0].hint == hint


@pytest.mark.parametrize(
    ("part", "expected", "hint"),
    [
        ("stores:\n  lake:\n  type: object\n  adopt: x\n", "7:3 E0201", "indent 'type' and 'adopt' deeper than 'lake'"),
        ("stores:\n\nlake:\n  type: object\n", "6:1 E0201", "indent 'lake' deeper than 'stores'"),
        ("pipelines:\n  p:\n    type: custom\n    schedule:\n    cron: 0 4 * * 1\n", "9:5 E0201",
         "indent 'cron' deeper than 'schedule'"),
    ],
)  # fmt: skip
def test_missing_indentation_is_one_error(examined: Examined, part: str, expected: str, hint: str) -> None:
    """Known fields right after an empty field probably lack indentation."""
    diagnostics = examined(HEAD + part)

    assert places(diagnostics) == [expected]
    assert diagnostics[0].hint == hint


def test_errors_show_the_full_path_of_a_missing_field(examined: Examined) -> None:
    """An error shows the full path of a field in spec syntax."""
    head = HEAD.replace(", context: frankfurt}", ", secretStores: {vault: {store: v}}, capacity: [{count: 1, cpu: 4}]}")

    assert [(diagnostic.message, diagnostic.hint) for diagnostic in examined(head)] == [
        ("field 'store' cannot be used in 'deployment.secretStores.vault'",
         "add via: external-secrets"),
        ("missing field 'memory' in 'deployment.capacity[0]'", "add 'memory', as in 'memory: 64Gi'"),
    ]  # fmt: skip


def test_a_name_without_its_section_is_completed(examined: Examined) -> None:
    """The hint adds the section that contains an entry with this name."""
    monitor = "{type: data-drift, watch: s, checks: {psi: {max: 0.2}}, onBreach: {run: retrain}}"
    sections = "data: {}\ninference: {s: }\npipelines: {retrain: }\n"
    diagnostics = examined(f"{HEAD}{sections}monitors: {{m: {monitor}}}\n")

    assert [diagnostic.hint for diagnostic in diagnostics if diagnostic.code == "E0205"] == [
        "did you mean 'inference.s'?",
        "did you mean 'pipelines.retrain'?",
    ]


def test_ten_errors_are_reported_in_one_run(examined: Examined) -> None:
    """All ten errors are reported in file order."""
    text = HEAD + "".join(f"s{at}: 1\n" for at in range(10))

    assert places(examined(text)) == [f"{line}:1 E0203" for line in range(6, 16)]


def test_fields_that_depend_on_a_wrong_type_are_not_checked(examined: Examined) -> None:
    part = "stores: {lake: {type: bucket, size: 20Gi, versioned: true, replicas: 0}}\n"

    assert places(examined(HEAD + part)) == ["6:23 E0204"]


def test_missing_required_sections_are_reported_with_examples(examined: Examined) -> None:
    """The error for each missing section shows an example."""
    hints = [diagnostic.hint for diagnostic in examined("metadata: {name: fraud}\n")]

    assert hints == [
        "add 'apiVersion: modelyard.dev/v1alpha1'",
        "add 'deployment' with mode",
        "add 'governance' with owner",
        "add 'kind: MLSystem'",
    ]


def test_secrets_are_never_printed(examined: Examined, loaded: Loaded) -> None:
    """Messages and excerpts hide secrets in every format, even if another error is on the same line."""
    slack, webhook = "{type: slack, url: hunter2-hunter2, rooom: x}", "{type: webhook, url: [hunter3]}"
    text = f"{HEAD}channels: {{c: {slack}, d: {webhook}}}\n"
    document = loaded(text)
    diagnostics = examined(text)

    assert [diagnostic.code for diagnostic in diagnostics] == ["E0212", "E0203", "E0212"]
    for form in ("text", "json", "sarif", "github"):
        assert "hunter" not in render(diagnostics, document.files, form)


def test_the_search_stops_after_a_thousand_errors(examined: Examined) -> None:
    """After a thousand errors, one more diagnostic reports that there are others."""
    diagnostics = examined(HEAD + "stores:\n" + "".join(f"  s{at}: {{type: objct}}\n" for at in range(2000)))

    assert len(diagnostics) == 1001
    assert {diagnostic.code for diagnostic in diagnostics} == {"E0204", "E0207", "E0120"}


def test_unsupported_keywords_are_reported_without_details(loaded: Loaded) -> None:
    """A keyword without its own message still causes an error."""
    schema: Schema = {"not": {"required": ["a", "b"]}}
    diagnostics = validate_with(schema, rust_fits(schema), loaded("a: 1\nb: 2\n"))

    assert places(diagnostics) == ["1:1 E0213"]


def test_errors_of_the_most_likely_branch_are_reported(loaded: Loaded) -> None:
    """Only errors of the alternative whose type and constants match the value are reported."""
    branches: list[Json] = [
        {"type": "string"},
        {
            "type": "object",
            "required": ["kind", "size"],
            "properties": {"kind": {"const": "big"}, "size": {"type": "integer"}},
        },
        {"type": "object", "required": ["kind"], "properties": {"kind": {"const": "small"}, "size": {"maximum": 3}}},
    ]
    for keyword in ("oneOf", "anyOf"):
        schema: Schema = {"properties": {"x": {keyword: branches}}}
        fits = rust_fits(schema)

        assert places(validate_with(schema, fits, loaded("x: {kind: big, size: much}"))) == ["1:22 E0201"]
        assert places(validate_with(schema, fits, loaded("x: {kind: small, size: 5}"))) == ["1:24 E0206"]
        assert places(validate_with(schema, fits, loaded("x: {kind: big}"))) == ["1:1 E0202"]
        assert validate_with(schema, fits, loaded("x: text")) == ()


def test_every_keyword_of_the_schema_is_supported() -> None:
    """A schema keyword without support would cause errors that give no reason."""
    known = {
        *FITS, "$ref", "$defs", "allOf", "oneOf", "anyOf", "if", "then", "else", "properties", "additionalProperties",
        "unevaluatedProperties", "propertyNames", "required", "dependentRequired", "items",
    }  # fmt: skip
    documentation = {"title", "description", "examples", "default"}
    silent = {
        "$schema",
        "$id",
        *documentation,
        "x-expected",
        "x-requires",
        "x-secret",
        "x-default-without",
        "x-text-is",
        "x-review",
    }

    assert set(_keywords(SYSTEM)) <= known | silent
    assert set(_keywords(SYSTEM)) <= SUPPORTED | silent


def _keywords(schema: Schema) -> Iterator[str]:
    for keyword, value in schema.items():
        yield keyword
        if keyword in {"properties", "$defs"}:
            for subschema in schema_of(value).values():
                yield from _keywords(schema_of(subschema))
        elif keyword in {"allOf", "oneOf", "anyOf"} and isinstance(value, list):
            for subschema in value:
                yield from _keywords(schema_of(subschema))
        elif keyword in {"additionalProperties", "propertyNames", "items", "if", "then", "else"}:
            yield from _keywords(schema_of(value))


JUNK: list[Json] = [
    None, True, 0, -1, 1.5, 2.0, 10**9, "", "no", "x" * 3000, "16GB", "secret://a", [], {}, [1], {"a": 1}, ["a", "a"],
    "A_b", "1d", "20%", "a\nb", {"07": 1, "7": {}},
]  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Json]:
    """Generate the valid spec with a few values changed, removed, renamed or added."""
    document, _ = load(VALID_SPEC, "system.yaml")
    assert document is not None
    value = cast("dict[str, Json]", json.loads(json.dumps(document.value)))
    for _ in range(draw(st.integers(1, 3))):
        _mutate(draw, value)
    value.pop("environments", None)
    return value


def _mutate(draw: st.DrawFn, value: Json) -> None:
    owners = [container for container in _containers(value) if container]
    owner = draw(st.sampled_from(owners)) if owners else value
    if isinstance(owner, dict):
        key = draw(st.sampled_from(sorted(owner)))
        action = draw(st.sampled_from(["change", "remove", "rename", "add"]))
        if action == "change":
            owner[key] = draw(st.sampled_from(JUNK))
        elif action == "add":
            owner[draw(st.sampled_from(["extra", "7", "Type"]))] = draw(st.sampled_from(JUNK))
        else:
            moved = owner.pop(key)
            if action == "rename":
                owner[draw(st.sampled_from([f"{key}x", key[:-1] or "q", key.upper()]))] = moved
    elif isinstance(owner, list):
        owner.append(draw(st.sampled_from([*JUNK, owner[0]])))


def _containers(value: Json) -> Iterator[Json]:
    if isinstance(value, dict | list):
        yield value
        for child in value.values() if isinstance(value, dict) else value:
            yield from _containers(child)


RUST, PYTHON, SMALL = rust_fits(SYSTEM), python_fits(SYSTEM), SmallFits(SYSTEM)


@settings(max_examples=150)
@given(mutated())
def test_validators_agree_and_every_refusal_has_a_reason(value: dict[str, Json]) -> None:
    """All validators accept or refuse the same documents, and refusals have a more specific code than E0213."""
    document, diagnostics = load(json.dumps(value, indent=1), "system.json")
    if document is None:
        return
    fits = RUST(SYSTEM, document.value)
    diagnostics = validate_with(SYSTEM, RUST, document)

    assert PYTHON(SYSTEM, document.value) == fits
    assert SMALL(SYSTEM, document.value) == fits
    assert validate_with(SYSTEM, PYTHON, document) == diagnostics
    assert fits == (not diagnostics)
    assert "E0213" not in {diagnostic.code for diagnostic in diagnostics}


def test_validate_imports_few_modules() -> None:
    """Validating a single spec does not load unused modules."""
    program = """
import sys
from modelyard.load import load
from modelyard.overlay import overlay
from modelyard.validate import validate
from modelyard.variables import substitute
from modelyard.printing.diagnostics import render
document, _ = load(sys.stdin.buffer.read(), "system.yaml")
document, _ = overlay(document, None)
document, _ = substitute(document, {})
render(validate(document), document.files)
heavy = {"jsonschema", "jinja2", "rich", "pulumi", "ray", "pydantic", "referencing", "difflib"}
print(sorted(heavy & set(sys.modules)))
"""
    for text in (VALID_SPEC, VALID_SPEC.replace("kind: MLSystem", "kind: System")):
        result = subprocess.run([sys.executable, "-c", program], input=text.encode(), capture_output=True, check=True)

        assert result.stdout.decode().strip() == "[]"


def test_the_valid_spec_fits_the_schema(loaded: Loaded) -> None:
    """The valid spec, which other tests modify, fits the schema."""
    document = loaded(VALID_SPEC)

    assert validate(document) == ()


def test_jsonschema_is_used_without_jsonschema_rs(loaded: Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    """On platforms without a jsonschema-rs wheel, jsonschema validates large specs and reports the same errors."""
    monkeypatch.setitem(sys.modules, "jsonschema_rs", None)
    valid = f"{HEAD}stores:\n" + "".join(f"  s{at}: {{type: object, retention: 3d}}\n" for at in range(400))

    assert places(_fresh(validate, loaded(f"{valid}  lake: {{type: object, retentoin: 3d}}\n"))) == ["407:24 E0203"]
    assert _fresh(validate, loaded(valid)) == ()


def _fresh(function: Callable[[Document], tuple[Diagnostic, ...]], document: Document) -> tuple[Diagnostic, ...]:
    from modelyard import validate as room

    room.system_fits.cache_clear()
    try:
        return function(document)
    finally:
        room.system_fits.cache_clear()
