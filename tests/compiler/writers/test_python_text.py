"""Tests that printed programs evaluate to the given values, and are formatted like by `ruff format`."""

from __future__ import annotations

import ast
import builtins
import keyword
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from modelyard.program import WRITTEN_BY, Call, Export, Import, Literal, Program, Ref
from modelyard.writers.python_text import Collision, identifier, identifiers, literal, print_program, program_variables

FILES = tuple(f"manifests/{name}.yaml" for name in "abcdefg")
RUFF = (sys.executable, "-m", "ruff")

texts = st.text(st.characters()) | st.text("'\"\\{}\n\r\t#ab é日\u202e\x00\x85", max_size=12)
numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | numbers | texts
values: st.SearchStrategy[Literal] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=5).map(tuple) | st.dictionaries(texts, inner, max_size=5),
    max_leaves=25,
)
names = st.from_regex(r"[a-z][a-z0-9-]{0,38}[a-z0-9]", fullmatch=True)
keys = st.from_regex(r"[a-z][a-z_]{0,20}[a-z]", fullmatch=True).filter(lambda key: not keyword.iskeyword(key))


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """Generate a program whose calls use earlier calls, in one to four paragraphs."""
    variables = draw(st.lists(names, max_size=6, unique_by=identifier))
    calls: list[Call] = []
    for number, variable in enumerate(variables):
        arguments = draw(st.dictionaries(keys, values, max_size=5))
        attributes, entries = st.sampled_from(["", "uri", "a.b"]), st.sampled_from(["", "host", 'a"b\n'])
        earlier = [Ref(name, draw(attributes), draw(entries)) for name in variables[:number]]
        references = tuple((f"ref_{i}", ref) for i, ref in enumerate(earlier))
        group = draw(st.sampled_from(["", "a", "b"]))
        calls.append(Call(variable, "kubernetes.Cluster", draw(texts), (*arguments.items(), *references), group))
    exports = tuple(Export(name, Ref(name)) for name in variables[:2])
    return Program(WRITTEN_BY, (Import("pulumi"), Import("modelyard_stacks", "kubernetes")), tuple(calls), exports)


def as_read(value: Literal) -> object:
    """Return the value as Python reads it back, with lists instead of tuples."""
    if isinstance(value, tuple):
        return [as_read(item) for item in value]
    if isinstance(value, dict):
        return {key: as_read(item) for key, item in value.items()}
    return value


def unformatted(text: str) -> str:
    """Return the changes that `ruff format` would make, as a diff."""
    command = [*RUFF, "format", "--isolated", "--line-length", "120", "--diff", "--quiet", "-"]
    return subprocess.run(command, input=text, capture_output=True, encoding="utf-8", check=False).stdout


@given(values)
@example('it\'s "q"')
@example({"\ud800": ("\udfff",)})
def test_every_literal_is_read_back_exactly(value: Literal) -> None:
    """Python reads back the same data, including types, order and lone surrogates."""
    assert repr(ast.literal_eval(literal(value))) == repr(as_read(value))


@given(texts)
def test_text_is_one_line_of_visible_characters(text: str) -> None:
    """No character in a string can hide or reorder text, or end a line."""
    printed = literal(text)

    assert printed.isprintable()
    assert len(printed.splitlines()) == 1


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"a": (-float("inf"),)}])
def test_nan_and_infinity_are_refused(value: Literal) -> None:
    """NaN and infinity have no literal in Python, so they are refused."""
    with pytest.raises(ValueError, match="plain data"):
        literal(value)


@pytest.mark.parametrize("value", [object(), {1: 2}, b"bytes", {"a": {1, 2}}])
def test_other_types_are_refused(value: Literal) -> None:
    """Only plain data can be printed."""
    with pytest.raises(TypeError, match=r"plain data|key is text"):
        literal(value)


@given(texts)
@example("class")
@example("match")
@example("__builtins__")
@example("ﬁ")
@example("1a")
@example("")
def test_an_identifier_is_always_a_valid_variable(name: str) -> None:
    """An identifier is ASCII, and is not a keyword, a builtin or a dunder name."""
    variable = identifier(name)

    assert variable.isascii()
    assert variable.isidentifier()
    assert not keyword.iskeyword(variable)
    assert not keyword.issoftkeyword(variable)
    assert not (variable[0].islower() and hasattr(builtins, variable))
    assert not (variable.startswith("__") and variable.endswith("__"))


@given(st.lists(texts | names, unique=True))
def test_two_names_share_no_variable_without_a_reported_collision(spec_names: list[str]) -> None:
    """Each name gets its own variable, or is listed as a collision."""
    variables, collisions = identifiers(spec_names, ["pulumi", "kubernetes"])

    assert len(set(variables.values())) + len(collisions) == len(spec_names)
    assert not {"pulumi", "kubernetes"} & set(variables.values())


@given(st.lists(names, unique=True))
def test_names_of_a_spec_never_collide(spec_names: list[str]) -> None:
    """Names in a spec are DNS labels. Dashes become underscores, which can't occur in DNS labels."""
    assert identifiers(spec_names, ["pulumi"])[1] == ()


def test_collisions_are_reported_in_order() -> None:
    """The first name gets the variable. A repeated name collides with itself."""
    variables, collisions = identifiers(["a-b", "a_b", "c", "a.b", "c"])

    assert variables == {"a-b": "a_b", "a_b": "a_b", "c": "c", "a.b": "a_b"}
    assert collisions == (Collision("a-b", "a_b", "a_b"), Collision("a-b", "a.b", "a_b"), Collision("c", "c", "c"))


def test_a_name_that_is_imported_gets_another_variable() -> None:
    """A workload may be named like one of our imported modules, in which case its variable gets another name."""
    calls = (Call("kubernetes", "kubernetes.Chart", "kubernetes"), Call("list", "kubernetes.Chart", "list"))
    program = Program(WRITTEN_BY, (Import("modelyard_stacks", "kubernetes"),), calls)

    assert program_variables(program)[0] == {"kubernetes": "kubernetes_", "list": "list_"}


def test_a_program_is_printed_in_readable_form() -> None:
    """A program consists of a docstring, imports, paragraphs of calls, and exports."""
    machines: dict[str, Literal] = {"machines": ("g6.2xlarge", "g5.2xlarge"), "labels": {"app": "it's", "say": '"hi"'}}
    program = Program(
        title="Written by modelyard 9; change the spec, not this file.",
        imports=(Import("modelyard_stacks", "kubernetes"), Import("modelyard_stacks", "base"), Import("pulumi")),
        calls=(
            Call("fraud", "base.Network", "fraud", (("region", "eu-west-1"), ("zones", 3)), "network"),
            Call("cluster", "base.Cluster", "fraud", (("network", Ref("fraud")), ("private", True)), "network"),
            Call("gpu-spot", "base.Pool", "gpu-spot", (("cluster", Ref("cluster", "id")), *machines.items()), "pools"),
            Call(
                "", "kubernetes.Manifests", "all", (("files", tuple(f"manifests/{n}.yaml" for n in "abcdefg")),), "all"
            ),
            Call("", "base.Host", "db", (("host", Ref("fraud", "outputs", 'the "host"')),), "all", ("stores", "db")),
        ),
        exports=(Export("cluster", Ref("cluster", "connection")),),
    )

    assert print_program(program) == (
        '"""Written by modelyard 9; change the spec, not this file."""\n'
        "\n"
        "import pulumi\n"
        "from modelyard_stacks import base, kubernetes\n"
        "\n"
        'fraud = base.Network("fraud", region="eu-west-1", zones=3)\n'
        'cluster = base.Cluster("fraud", network=fraud, private=True)\n'
        "\n"
        "gpu_spot = base.Pool(\n"
        '    "gpu-spot",\n'
        "    cluster=cluster.id,\n"
        '    machines=["g6.2xlarge", "g5.2xlarge"],\n'
        """    labels={"app": "it's", "say": '"hi"'},\n"""
        ")\n"
        "\n"
        "kubernetes.Manifests(\n"
        '    "all",\n'
        "    files=[\n" + "".join(f'        "manifests/{name}.yaml",\n' for name in "abcdefg") + "    ],\n"
        ")\n"
        """base.Host("db", host=fraud.outputs['the "host"'])\n"""
        "\n"
        'pulumi.export("cluster", cluster.connection)\n'
    )


@settings(max_examples=40, deadline=None)
@given(programs())
def test_the_formatter_changes_nothing(program: Program) -> None:
    """`ruff format` does not change a printed program, for any values."""
    assert unformatted(print_program(program)) == ""


@given(programs())
def test_a_printed_program_has_the_same_calls(program: Program) -> None:
    """The calls in the program are in the same order, and their arguments are read back exactly."""
    tree = ast.parse(print_program(program))
    calls = [node.value for node in tree.body if isinstance(node, ast.Assign)]

    assert len(calls) == len(program.calls)
    for printed_call, call in zip(calls, program.calls, strict=True):
        assert isinstance(printed_call, ast.Call)
        plain = {key: as_read(value) for key, value in call.arguments if not isinstance(value, Ref)}
        assert {
            entry.arg: ast.literal_eval(entry.value) for entry in printed_call.keywords if entry.arg in plain
        } == plain  # 1 == 1.0 is fine here, because the literals' types are compared above


def test_imports_are_sorted_as_isort_sorts_them(tmp_path: Path) -> None:
    """The standard library comes first, then modules, then names from modules: constants, classes and functions."""
    imports = [Import("pulumi_kubernetes"), Import("pulumi"), Import("json"), Import("os", "path"), Import("b.c", "d")]
    many = [Import("a.b", f"name_{letter}_that_is_rather_long") for letter in "cab"]
    mixed = [Import("x", name) for name in ("b", "Alpha", "A", "ZED", "Beta", "a", "AB")]
    program = Program(WRITTEN_BY, (*imports, *many, *mixed, Import("pulumi")), ())
    path = tmp_path / "program.py"
    path.write_text(print_program(program), encoding="utf-8")
    command = [*RUFF, "check", "--isolated", "--line-length", "120", "--select", "I", "--diff", "--quiet", str(path)]

    assert subprocess.run(command, capture_output=True, encoding="utf-8", check=False).stdout == ""
    assert unformatted(print_program(program)) == ""
    assert "import pulumi\n" in print_program(program)


@pytest.mark.parametrize(
    "program",
    [
        Program('Title """ import os', (), ()),
        Program("Title \\", (), ()),
        Program("Title\nimport os", (), ()),
        Program(WRITTEN_BY, (Import("os; import sys"),), ()),
        Program(WRITTEN_BY, (Import("os", "path as p"),), ()),
        Program(WRITTEN_BY, (), (Call("a", "b(); c", "a"),)),
        Program(WRITTEN_BY, (), (Call("a", "b.c", "a", (("x y", 1),)),)),
        Program(WRITTEN_BY, (), (Call("a", "b.c", "a", (("class", 1),)),)),
        Program(WRITTEN_BY, (), (Call("a", "b.c", "a", (("x", Ref("later")),)), Call("later", "b.c", "b"))),
        Program(WRITTEN_BY, (), (Call("a", "b.c", "a"), Call("b", "b.c", "b", (("x", Ref("a", "c()")),)))),
        Program(WRITTEN_BY, (), (Call("a", "b.c", "a"), Call("a", "b.c", "b"))),
        Program(WRITTEN_BY, (), (), (Export("a", Ref("a")),)),
    ],
)
def test_invalid_programs_are_refused(program: Program) -> None:
    """Titles, modules, components, attributes and arguments must be valid, and references must point backwards."""
    with pytest.raises(ValueError, match=r"not allowed in a program|before it is assigned|share the variable"):
        print_program(program)
