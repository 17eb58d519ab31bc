"""The form for trying an endpoint."""

from __future__ import annotations

import hashlib

from modelyard_runtime.local.page.markup import Markup, tag
from modelyard_runtime.local.page.signature import Input, Signature

PREFIX = "input:"
"""The prefix of the fields for columns, which keeps them distinct from the form's own fields."""

TRY = "try/"
"""The prefix of the path of an endpoint's form, relative to the page's own path."""

BODY, MODEL = "body", "model"
_EXAMPLE = '{"instances": [{"column": 1}]}'


def form_of(name: str, callers: tuple[str, ...], signature: Signature | str, token: str) -> Markup:
    """Return the form, or the reason why there is none. An open page replaces the form only if the inputs change."""
    inner = tag("p", signature) if isinstance(signature, str) else _form(name, callers, signature, token)
    key = hashlib.sha256(repr(signature).encode()).hexdigest()[:16]
    return tag("div", inner, id=f"form-{name}", data_live="", data_key=key)


def _form(name: str, callers: tuple[str, ...], signature: Signature, token: str) -> Markup:
    fields = _chat(signature) if signature.models else [_field(entry) for entry in signature.inputs] or [_body()]
    caller = tag("small", f"sent with the token of {callers[0]}") if callers else Markup()
    return tag(
        "form",
        tag("input", type="hidden", name="token", value=token),
        tag("p", f"{'' if signature.models else 'inputs of '}version {signature.version}", class_="hint"),
        tag("div", *fields, class_="fields"),
        tag("button", "Send" if signature.models else "Predict", type="submit"),
        caller,
        tag("output", class_="answer", aria_live="polite"),
        method="post",
        action=f"{TRY}{name}",
        autocomplete="off",
    )


def _field(entry: Input) -> Markup:
    label = tag("span", entry.name, tag("small", f" {entry.kind}"))
    return tag("label", label, _control(f"{PREFIX}{entry.name}", entry))


def _control(name: str, entry: Input) -> Markup:
    if entry.kind == "boolean":
        options = [tag("option", word, value=word) for word in ("", "true", "false")]
        return tag("select", *options, name=name)
    mode = {"number": "decimal", "integer": "numeric"}.get(entry.kind)
    return tag("input", type="text", name=name, inputmode=mode, maxlength="10000")


def _chat(signature: Signature) -> list[Markup]:
    options = [tag("option", name, value=name) for name in signature.models]
    return [
        tag("label", tag("span", "model"), tag("select", *options, name=MODEL)),
        tag("label", tag("span", "message"), tag("textarea", "Hello", name=BODY, rows="4")),
    ]


def _body() -> Markup:
    label = tag("span", "body", tag("small", " the model declares no inputs, so the request is JSON"))
    return tag("label", label, tag("textarea", _EXAMPLE, name=BODY, rows="4", spellcheck="false"))
