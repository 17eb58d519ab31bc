"""Tests that plain-text secrets are found in any field and never printed, without false positives."""

from __future__ import annotations

import pytest

from tests.compiler.checks.checked_specs import codes_in, diagnostics_of, places_in
from tests.diagnosing import Question, diagnose, examine
from tests.specs import changed


@pytest.mark.parametrize(
    "value",
    [
        "AKIAIOSFODNN7EXAMPLE",
        "postgresql://app:correct-horse@db.acme.example/app",
        "ghp_" + "a1B2" * 9,
        "xoxb-1234567890-abcdefghij",
        "AIza" + "Sy1-" * 9,
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2ln",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY1234",
    ],
)
@pytest.mark.parametrize("place", ["parameters: {note: VALUE}", "parameters: {deep: [{note: VALUE}]}"])
def test_secrets_in_plain_text_are_found(value: str, place: str) -> None:
    """Secrets are found in any field, and no message repeats them."""
    spec = changed("    promoteTo: candidate\n", f"    promoteTo: candidate\n    {place.replace('VALUE', value)}\n")
    diagnostics = diagnostics_of(spec)

    assert [diagnostic.code for diagnostic in diagnostics] == ["E0407"]
    assert all(diagnostic.secret and value not in diagnostic.message + diagnostic.hint for diagnostic in diagnostics)


@pytest.mark.parametrize(
    ("body", "codes"),
    [
        ("AAAAC3NzaC1lZDI1NTE5AAAAIBQLxo1V/0nQZqp74G7iCeTrfUUVH2nBc2KM1WIYB+um", ["E0205"]),
        ("b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW", ["E0205", "E0407"]),
    ],
)
def test_public_keys_are_not_secrets(body: str, codes: list[str]) -> None:
    """Public keys are not secrets. The body of a private key is still reported."""
    listed = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBQLxo1V/0nQZqp74G7iCeTrfUUVH2nBc2KM1WIYB+um model-risk"

    assert sorted(diagnostic.code for diagnostic in examine(Question(changed(listed, body)))) == codes


@pytest.mark.parametrize(
    "parameters",
    [
        "{password: hunter2}",
        "{warehouse_password: hunter2}",
        "{api_key: 12345678}",
        "{nested: {auth_token: abc}}",
    ],
)
def test_secrets_are_found_by_field_name(parameters: str) -> None:
    """The value of a field named password is a secret, however short it is."""
    spec = changed("    promoteTo: candidate\n", f"    promoteTo: candidate\n    parameters: {parameters}\n")

    assert codes_in(spec) == ["E0407"]


def test_a_secret_is_hidden_when_another_error_is_on_its_line() -> None:
    """The secret is hidden even if a different stage reports the other error."""
    old = "{type: custom,"
    spec = changed(
        "  report:\n    type: custom\n",
        "  other: {type: custom, inputs: [trnsactions], source: "
        '{entrypoint: "a:b"}, compute: cpu, parameters: {password: correct-horse}}\n'
        "  report:\n    type: custom\n",
    )
    question = Question(spec)

    assert [problem.code for problem in examine(question)] == ["E0301", "E0407"]
    assert "correct-horse" not in diagnose(question)
    assert old in diagnose(question)


@pytest.mark.parametrize(
    "parameters",
    [
        "{max_tokens: 4096}",
        '{pad_token: "<pad>"}',
        '{monotone_constraints: "(1,-1,0)"}',
        "{checkpoint: models/Fraud/2026-11-24/Best/Model/Final}",
        "{digest: sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0ba822cd15d6c15b0f00a08}",
        "{url: https://api.acme.example/v1/rates?base=EUR}",
        "{objective: binary_logistic_with_a_very_long_name_indeed}",
        "{secret_sauce: none}",
    ],
)
def test_text_that_only_looks_like_a_secret_is_accepted(parameters: str) -> None:
    spec = changed("    promoteTo: candidate\n", f"    promoteTo: candidate\n    parameters: {parameters}\n")

    assert codes_in(spec) == []


def test_a_secret_reference_may_come_from_a_variable() -> None:
    """A variable may contain a secret reference if the field expects one."""
    spec = changed("key: secret://vault/pagerduty#fraud", 'key: "${vars.key}"') + 'vars: {key: "secret://vault/x#y"}\n'

    assert places_in(spec) == []


def test_an_unknown_secret_store_is_reported_at_every_use() -> None:
    diagnostics = diagnostics_of(changed("{vault: {via: external-secrets, store: vault}}", "{valt: {}}"))

    assert {diagnostic.code for diagnostic in diagnostics} == {"E0406"}
    assert {diagnostic.hint for diagnostic in diagnostics} == {"did you mean 'valt'?"}
    assert len(diagnostics) == 3  # the lake, the endpoint's token, the channel
