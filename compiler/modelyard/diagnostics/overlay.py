"""Diagnostics about environments and variables: E013, E014 and W014."""

from __future__ import annotations

import re
from collections.abc import Iterable

from modelyard.diagnostics.base import Diagnostic, Severity, nearest, quote
from modelyard.source import Span

_LONGEST_NAME = 40


def unknown_environment(span: Span | None, environment: str, known: Iterable[str]) -> Diagnostic:
    """The spec has no environment with this name.

    An environment is either an entry in `environments` or a file `environments/NAME.yaml` next to the spec.

    Wrong: `--env prd` for

        environments:
          prod: {inference: {scorer: {replicas: 4}}}

    Right: `--env prod`.
    """
    names = list(known)
    hint = nearest(environment, names, "did you mean {}?")
    if not hint and names:
        hint = f"available environments: {', '.join(sorted(names)[:8])}"
    hint = hint or "add it under `environments`, or omit --env"
    return Diagnostic("E0130", Severity.ERROR, f"unknown environment {quote(environment)}", span, hint)


def environment_twice(span: Span, environment: str, file: str) -> Diagnostic:
    """An environment is defined in two places.

    Wrong: `environments.prod` in the spec, and a file `environments/prod.yaml` next to it.

    Right: one of the two.
    """
    return Diagnostic(
        "E0131",
        Severity.ERROR,
        f"environment {quote(environment)} is also defined in file {quote(file)}",
        span,
        "keep one of the two",
    )


def not_a_patch(span: Span, path: str) -> Diagnostic:
    """An environment must be a mapping of the parts of the spec that it changes.

    Wrong:

        environments: [dev, prod]

    Right:

        environments:
          dev: {inference: {scorer: {replicas: 1}}}
          prod: {}
    """
    return Diagnostic(
        "E0132",
        Severity.ERROR,
        f"{quote(path)} must be a mapping",
        span,
        "map each environment's name to the fields that it changes",
    )


def environment_name(span: Span, name: str) -> Diagnostic:
    """An environment's name becomes the name of a folder and a Pulumi stack.

    It may contain only lower-case letters, digits and hyphens, must start with a letter, and may have at most 40
    characters.

    Wrong:

        environments: {"Prod EU": {}}

    Right:

        environments: {prod-eu: {}}
    """
    better = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-0123456789")
    return Diagnostic(
        "E0133",
        Severity.ERROR,
        f"{quote(name)} is not a valid environment name",
        span,
        f"did you mean {quote(better)}?"
        if better and len(better) <= _LONGEST_NAME
        else "use at most 40 lower-case letters, digits and hyphens, starting with a letter",
    )


def environments_in_environment(span: Span) -> Diagnostic:
    """An environment cannot change `environments`.

    Wrong:

        environments: {dev: {environments: {test: {}}}}

    Right:

        environments: {dev: {}, test: {}}
    """
    return Diagnostic(
        "E0134",
        Severity.ERROR,
        "an environment cannot contain `environments`",
        span,
        "move it next to the other environments",
    )


def deletes_nothing(span: Span, key: str, known: Iterable[str]) -> Diagnostic:
    """A null in an environment deletes a field of the base spec, but the base spec has no such field.

    Wrong:

        stores: {lake: {type: object}}
        environments: {dev: {stores: {lakes: null}}}

    Right:

        stores: {lake: {type: object}}
        environments: {dev: {stores: {lake: null}}}
    """
    hint = nearest(key, known, "did you mean {}?") or "remove the line"
    return Diagnostic(
        "W0135", Severity.WARNING, f"null has no effect: the base spec has no {quote(key)} here", span, hint
    )


def unknown_variable(span: Span, name: str, known: Iterable[str]) -> Diagnostic:
    """A reference names a variable that `vars` does not declare.

    Wrong:

        vars: {image: ghcr.io/acme/train:1.8.2}
        pipelines: {retrain: {source: {image: "${vars.imgae}"}}}

    Right:

        vars: {image: ghcr.io/acme/train:1.8.2}
        pipelines: {retrain: {source: {image: "${vars.image}"}}}
    """
    hint = nearest(name, known, "did you mean {}?") or "declare it under `vars`"
    return Diagnostic("E0140", Severity.ERROR, f"unknown variable {quote(name)}", span, hint)


def malformed_reference(span: Span, text: str, known: Iterable[str] = ()) -> Diagnostic:
    """`${` can only start a variable reference such as `${vars.name}`.

    Write a literal `${` as `$${`.

    Wrong:

        parameters: {home: "${HOME}/data"}

    Right:

        parameters: {home: "$${HOME}/data"}
    """
    name = text.removeprefix("${").removesuffix("}").rpartition(".")[2].strip()
    suggestion = f"did you mean '${{vars.{name}}}'?" if name in set(known) else ""
    return Diagnostic(
        "E0141",
        Severity.ERROR,
        f"{quote(text)} is not a valid variable reference",
        span,
        suggestion or "write '${vars.name}' for a variable, or '$${' for a literal '${'",
    )


def misplaced_reference(span: Span, place: str) -> Diagnostic:
    """Variables can be used in values, but not in keys or in declarations of other variables.

    Wrong:

        vars: {team: risk, label: "${vars.team}-ml"}

    Right:

        vars: {team: risk, label: risk-ml}
    """
    return Diagnostic(
        "E0142",
        Severity.ERROR,
        f"a variable cannot be used in {place}",
        span,
        "write the value out, or '$${' for a literal '${'",
    )


def variable_without_value(span: Span, name: str) -> Diagnostic:
    """A variable without a default must be set on the command line.

    Wrong: `modelyard compile` for

        vars: {image: {type: string}}

    Right: `modelyard compile --set image=ghcr.io/acme/train:1.8.2`, or a `default`.
    """
    return Diagnostic(
        "E0143",
        Severity.ERROR,
        f"variable {quote(name)} has no value",
        span,
        f"add a `default`, or run with `--set {name}=…`",
        lacks=True,
    )


def variable_misfit(span: Span, name: str, actual: str, expected: str) -> Diagnostic:
    """A variable's value does not match its declaration.

    Wrong:

        vars: {replicas: {type: integer, max: 10, default: 12}}

    Right:

        vars: {replicas: {type: integer, max: 10, default: 8}}
    """
    return Diagnostic(
        "E0144", Severity.ERROR, f"variable {quote(name)} must be {expected}, but its value is {actual}", span
    )


def variable_declaration(span: Span, name: str, actual: str) -> Diagnostic:
    """A variable must be declared as a scalar, or as a mapping with its `type`.

    The types are `string`, `integer`, `number` and `boolean`.
    `default`, `description`, `enum`, `min` and `max` are optional.

    Wrong:

        vars: {regions: [eu-central-1, eu-west-1]}

    Right:

        vars: {region: {type: string, enum: [eu-central-1, eu-west-1], default: eu-central-1}}
    """
    return Diagnostic(
        "E0145",
        Severity.ERROR,
        f"variable {quote(name)} must be a string, number, true or false, or a mapping with `type`, but it is {actual}",
        span,
        "write `{type: string, default: …}` with one of the types string, integer, number and boolean",
    )


def unknown_setting(name: str, known: Iterable[str]) -> Diagnostic:
    """`--set` sets a variable that the spec does not declare.

    Wrong: `--set replcias=3` for

        vars: {replicas: 2}

    Right: `--set replicas=3`.
    """
    hint = nearest(name, known, "did you mean {}?") or "declare it under `vars`"
    return Diagnostic("E0146", Severity.ERROR, f"unknown variable {quote(name)} in --set", None, hint)


def variables_too_large(span: Span, limit_mib: int) -> Diagnostic:
    """Variables expand to more than 16 MiB of text in total.

    Wrong: a long string in a variable that is used ten thousand times.

    Right: the string in a file in the image.
    """
    return Diagnostic(
        "E0147",
        Severity.ERROR,
        f"variables expand to more than {limit_mib} MiB of text",
        span,
        "use long variables less often",
    )


def unused_variable(span: Span, name: str) -> Diagnostic:
    """An unused variable is probably misspelt somewhere, or left over.

    Wrong:

        vars: {replicas: 2}
        inference: {scorer: {replicas: 2}}

    Right:

        vars: {replicas: 2}
        inference: {scorer: {replicas: "${vars.replicas}"}}
    """
    return Diagnostic(
        "W0148",
        Severity.WARNING,
        f"variable {quote(name)} is never used",
        span,
        f"use it as '${{vars.{name}}}', or remove it",
    )
