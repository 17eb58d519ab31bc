"""Tests that text is hidden in all output if it looks like a secret."""

from __future__ import annotations

import pytest

from modelyard.printing.redact import redacted


@pytest.mark.parametrize(
    ("line", "secret"),
    [
        ("password: hunter2", "hunter2"),
        ('  dbPassword: "hunter2 and more"', "hunter2"),
        ("{user: a, api_key: hunter2, b: c}", "hunter2"),
        ("token: 'hunter2", "hunter2"),
        ('"clientSecret": "hunter2"', "hunter2"),
        ("key: 8f14e45fceea167a5a36", "8f14e45fceea167a5a36"),
        ("url: https://hooks.slack.com/services/T0/B0/hunter2", "hunter2"),
        ("endpoint: https://user:hunter2@db.example/x", "hunter2"),
        ("id: AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE"),
        ("see (sk-0123456789abcdef0123)", "sk-0123"),
        ("x: ghp_0123456789012345678901234567890123456", "ghp_0"),
        ("x: eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc", "eyJhbGci"),
    ],
)
def test_secrets_are_replaced_by_asterisks(line: str, secret: str) -> None:
    """Secrets are recognized by key or format. The line keeps its length."""
    result = redacted(line)

    assert secret not in result
    assert len(result) == len(line)


@pytest.mark.parametrize(
    "line",
    [
        "password: secret://vault/db#password",
        "token: ${vars.token}",
        "pullSecret: registry-login",
        "secretStores: {vault: {via: existing}}",
        "taints: [{key: nvidia.com/gpu, effect: NoSchedule}]",
        "email: payments-risk@acme.example",
        "image: ghcr.io/acme/fraud-train:1.8.2",
        "maxTokens: 512",
        "timeToFirstToken: 900ms",
        "slo: {timeToFirstToken: 1.5s, availability: 99%}",
        "Copy stores.lake: s3://helpdesk-prod-lake-1a2b3c to gs://helpdesk-prod-gcp-lake",
        "endpoint: http://minio.storage:9000",
    ],
)
def test_other_text_stays_readable(line: str) -> None:
    """References and resource names stay visible."""
    assert redacted(line) == line
