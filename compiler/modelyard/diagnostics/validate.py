"""Diagnostics about specs that do not match the schema: E02."""

from __future__ import annotations

from collections.abc import Iterable

from modelyard.diagnostics.base import Diagnostic, Severity, nearest, quote
from modelyard.source import Span

_LISTED = 12


def wrong_type(span: Span, expected: str, actual: str, hint: str) -> Diagnostic:
    """A value has the wrong type, such as a list instead of a mapping, or a string instead of a number.

    Named entries are mappings keyed by name, never lists. Unquoted `yes`, `no`, `on` and `off` are strings in YAML 1.2.
    A quantity needs a unit.

    Wrong:

        models:
          - name: fraud-xgb
            task: binary-classification

    Right:

        models:
          fraud-xgb:
            task: binary-classification
    """
    return Diagnostic("E0201", Severity.ERROR, f"expected {expected}, but found {actual}", span, hint)


def missing_field(span: Span, field: str, owner: str, hint: str) -> Diagnostic:
    """A required field is missing.

    Wrong:

        governance: {owner: {team: payments-risk}}

    Right:

        governance: {owner: {team: payments-risk, email: payments-risk@acme.example}}
    """
    return Diagnostic("E0202", Severity.ERROR, f"missing field {quote(field)} in {owner}", span, hint, lacks=True)


def unknown_field(
    span: Span, field: str, owner: str, known: Iterable[str], homes: Iterable[str] = (), hint: str = ""
) -> Diagnostic:
    """The schema has no such field here.

    Unknown fields are never ignored, because a misspelt field would silently get its default value. Field names are
    camelCase.

    Wrong:

        inference: {scorer: {replcias: 2}}

    Right:

        inference: {scorer: {replicas: 2}}
    """
    names = list(known)
    beginning = field.split(":", 1)[0]
    if ":" in field and beginning in names:
        hint = f"put a space after the colon: '{beginning}: …'"
    elif not hint:
        hint = nearest(field, names, "did you mean {}?")
    if not hint:
        hint = f"move it under {' or '.join(quote(home) for home in list(homes)[:3])}" if homes else _listed(names)
    return Diagnostic("E0203", Severity.ERROR, f"unknown field {quote(field)} in {owner}", span, hint)


def _listed(names: list[str]) -> str:
    """List the fields available at a place, shortened if there are many."""
    more = ", …" if len(names) > _LISTED else ""
    return f"available fields: {', '.join(names[:_LISTED])}{more}" if names else ""


def not_one_of(span: Span, actual: str, allowed: Iterable[str], hint: str) -> Diagnostic:
    """A value is not one of those that its field allows.

    Wrong:

        governance: {risk: severe}

    Right:

        governance: {risk: high}
    """
    names = list(allowed)
    if len(names) == 1:
        return Diagnostic("E0204", Severity.ERROR, f"expected {quote(names[0])}, but found {actual}", span, hint)
    listed = ", ".join(names[:_LISTED]) + (", …" if len(names) > _LISTED else "")
    return Diagnostic("E0204", Severity.ERROR, f"expected one of {listed}, but found {actual}", span, hint)


def wrong_form(span: Span, expected: str, actual: str, hint: str) -> Diagnostic:
    """A value does not have the form that its field requires, such as a quantity without a unit or a name with
    capitals.

    Wrong:

        compute: {train: {cpu: 8, memory: 32GB}}

    Right:

        compute: {train: {cpu: 8, memory: 32Gi}}
    """
    return Diagnostic("E0205", Severity.ERROR, f"expected {expected}, but found {actual}", span, hint)


def out_of_bounds(span: Span, actual: str, bound: str) -> Diagnostic:
    """A number is outside the bounds of its field.

    Wrong:

        inference: {scorer: {replicas: 0}}

    Right:

        inference: {scorer: {replicas: 1}}
    """
    return Diagnostic("E0206", Severity.ERROR, f"{actual} is out of bounds: it must be {bound}", span)


def wrong_length(span: Span, actual: str, bound: str) -> Diagnostic:
    """A string, list or mapping is longer or shorter than its field allows.

    Wrong:

        data: {transactions: {format: parquet, store: lake, path: transactions/, features: []}}

    Right:

        data: {transactions: {format: parquet, store: lake, path: transactions/, features: [amount_eur]}}
    """
    return Diagnostic("E0207", Severity.ERROR, f"this has {actual}, but {bound}", span)


def repeated_item(span: Span, item: str) -> Diagnostic:
    """An item appears twice in a list that allows no duplicates.

    Wrong:

        governance: {residency: [eu, eu]}

    Right:

        governance: {residency: [eu]}
    """
    return Diagnostic("E0208", Severity.ERROR, f"{item} appears twice in this list", span, "remove one of the two")


def field_not_here(span: Span, field: str, owner: str, reason: str) -> Diagnostic:
    """A field cannot be combined with other fields that are set here, such as the `type` or an alternative field.

    Wrong:

        stores: {lake: {type: object, size: 20Gi}}

    Right:

        stores: {metadata: {type: database, size: 20Gi}}
    """
    return Diagnostic("E0209", Severity.ERROR, f"field {quote(field)} cannot be used in {owner}", span, reason)


def bad_name(span: Span, name: str, expected: str, hint: str) -> Diagnostic:
    """A name that you chose is not valid.

    Names are used for Kubernetes objects, so they must be DNS labels.

    Wrong:

        models: {Fraud_XGB: {}}

    Right:

        models: {fraud-xgb: {}}
    """
    return Diagnostic("E0210", Severity.ERROR, f"{quote(name)} is not a valid name: expected {expected}", span, hint)


def needs_field(span: Span, field: str, needed: str, owner: str) -> Diagnostic:
    """A field has no effect without another field.

    Wrong:

        validation: {better: {metric: auc_pr, minDelta: 0.01}}

    Right:

        validation: {better: {metric: auc_pr, minDelta: 0.01, versus: champion}}
    """
    return Diagnostic(
        "E0211",
        Severity.ERROR,
        f"field {quote(field)} in {owner} requires field {quote(needed)}",
        span,
        f"add {quote(needed)}, or remove {quote(field)}",
        lacks=True,
    )


def secret_in_clear(span: Span, field: str, hint: str, problem: str = "") -> Diagnostic:
    """A secret must be a reference, never the secret value itself.

    Many people read the spec, and version control keeps it forever. The value belongs in a secret store, which provides
    it to the workloads that need it. The message does not show the value. If it is a real secret, it is compromised, so
    rotate it.

    Wrong:

        channels: {oncall: {type: pagerduty, key: 8f14e45fceea167a}}

    Right:

        channels: {oncall: {type: pagerduty, key: "secret://vault/pagerduty#fraud"}}
    """
    if problem:
        message = f"the secret reference in {quote(field)} {problem}"
    else:
        message = f"{quote(field)} must be a reference to a secret, not the secret itself"
    return Diagnostic("E0212", Severity.ERROR, message, span, hint, secret=not problem)


def does_not_fit(span: Span, where: str) -> Diagnostic:
    """A part of the spec does not match the schema, and no more specific diagnostic applies.

    `modelyard explain` lists the fields that are allowed there.

    Wrong: a combination of fields that the schema does not allow.

    Right: the fields of one of the examples.
    """
    return Diagnostic("E0213", Severity.ERROR, f"{where} does not match the schema", span)
