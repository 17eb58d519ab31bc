"""Diagnostics about AWS-only features on other providers' targets."""

from __future__ import annotations

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def secrets_manager_elsewhere(span: Span, store: str, target: str, provider: str) -> Diagnostic:
    """Workloads read a cloud's secrets manager with an identity that only a cluster in that cloud has.

    Wrong:

        deployment: {mode: on-prem, provider: kubernetes, secretStores: {aws: {via: secrets-manager}}}

    Right:

        deployment: {mode: on-prem, provider: kubernetes, secretStores: {aws: {via: external-secrets, store: aws}}}
    """
    return Diagnostic(
        "AWS-E020",
        Severity.ERROR,
        f"secret store {quote(store)} uses a cloud's secrets manager, but target {quote(target)} is on {provider}",
        span,
        "use `via: external-secrets` with a SecretStore in the cluster",
    )


def encryption_key_of_nothing(span: Span, store: str, why: str) -> Diagnostic:
    """`encryptionKey` names the key of an existing AWS bucket, so that workloads on AWS may use the key.

    A bucket that modelyard creates uses its target's key, and other services manage their own keys.

    Wrong:

        stores: {lake: {type: object, encryptionKey: "arn:aws:kms:eu-central-1:123456789012:key/…"}}

    Right:

        stores: {lake: {type: object, adopt: acme-lake, encryptionKey: "arn:aws:kms:eu-central-1:123456789012:key/…"}}
    """
    return Diagnostic(
        "AWS-E021",
        Severity.ERROR,
        f"store {quote(store)} cannot use an AWS KMS key: {why}",
        span,
        "remove `encryptionKey`, or adopt a bucket on a target with `provider: aws`",
    )


def key_of_other_region(span: Span, store: str, key_region: str, region: str) -> Diagnostic:
    """A bucket is always encrypted with a key in its own region, so a key in another region cannot be its key.

    Wrong:

        stores: {lake: {type: object, adopt: acme-lake, region: eu-west-1,
        encryptionKey: "arn:aws:kms:eu-central-1:123456789012:key/…"}}

    Right:

        stores: {lake: {type: object, adopt: acme-lake, region: eu-west-1,
        encryptionKey: "arn:aws:kms:eu-west-1:123456789012:key/…"}}
    """
    return Diagnostic(
        "AWS-E022",
        Severity.ERROR,
        f"the key is in {key_region}, but the bucket of store {quote(store)} is in {region}",
        span,
        "set `encryptionKey` to the bucket's key, or correct the bucket's `region`",
    )
