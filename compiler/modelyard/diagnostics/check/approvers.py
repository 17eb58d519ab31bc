"""Diagnostics about approvers' keys: E0897 to W0899, E0920 and W0921."""

from __future__ import annotations

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def group_without_key(span: Span, group: str) -> Diagnostic:
    """A group may approve promotions, but no key is listed for it, so none of its approvals would count.

    An approval is a statement about one version's files that a member signs with `modelyard approve` and an SSH key.
    Anyone who trains a model can write files next to it, so only signatures count.

    Wrong:

        approvals: {promote: {from: [model-risk]}}

    Right:

        approvals: {promote: {from: [model-risk]}}
        approvers:
          model-risk: {sshKeys: ["ssh-ed25519 AAAA… ada@acme.example"]}
    """
    return Diagnostic(
        "E0897",
        Severity.ERROR,
        f"group {quote(group)} may approve promotions, but no key is listed for it",
        span,
        f"add `approvers: {{{group}: {{sshKeys: [LINE OF id_ed25519.pub]}}}}` to `governance`",
        follows=True,  # caused by the wrong key
    )


def key_of_two_groups(span: Span, group: str, other: str) -> Diagnostic:
    """One key is listed for two groups, so one person could approve for both.

    Wrong:

        approvers:
          model-risk: {sshKeys: ["ssh-ed25519 AAAA… ada@acme.example"]}
          payments-risk: {sshKeys: ["ssh-ed25519 AAAA… ada@acme.example"]}

    Right:

        approvers:
          model-risk: {sshKeys: ["ssh-ed25519 AAAA… ada@acme.example"]}
          payments-risk: {sshKeys: ["ssh-ed25519 AAAB… bob@acme.example"]}
    """
    return Diagnostic(
        "E0898",
        Severity.ERROR,
        f"a key of group {quote(group)} is also listed for {quote(other)}",
        span,
        "list each key for one group",
    )


def person_of_two_groups(span: Span, person: str, group: str, other: str) -> Diagnostic:
    """Keys in two groups have the same comment, so one person could approve for both groups.

    Only the comment after a key, which ssh-keygen or you wrote, identifies its owner.

    Wrong:

        approvers:
          model-risk: {sshKeys: ["ssh-ed25519 AAAA… ada@acme.example"]}
          payments-risk: {sshKeys: ["ssh-rsa AAAB… ada@acme.example"]}

    Right:

        approvers:
          model-risk: {sshKeys: ["ssh-ed25519 AAAA… ada@acme.example", "ssh-rsa AAAB… ada@acme.example"]}
          payments-risk: {sshKeys: ["ssh-ed25519 AAAA… bob@acme.example"]}
    """
    return Diagnostic(
        "W0899",
        Severity.WARNING,
        f"{quote(person)} has keys in groups {quote(other)} and {quote(group)}, so one person could approve for both",
        span,
        "list a person's keys for one group only, or name each key's owner in the comment after it",
    )


def key_unusable(span: Span, group: str, reason: str) -> Diagnostic:
    """A listed key is truncated, altered, or not of the type it claims, so it cannot verify any signature.

    Each entry is the whole line of a `.pub` file: type, key, and owner. RSA keys need at least 2048 bits.
    `ssh-keygen -l -f FILE` prints the type of the key in a file.

    Wrong:

        approvers:
          model-risk: {sshKeys: ["ssh-rsa AAAAC3NzaC1lZDI1NTE5… ada"]}

    Right:

        approvers:
          model-risk: {sshKeys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5… ada"]}
    """
    return Diagnostic(
        "E0920",
        Severity.ERROR,
        f"a key of group {quote(group)} cannot be used: {reason}",
        span,
        "paste the whole line of a .pub file, such as one created by `ssh-keygen -t ed25519`",
    )


def key_twice(span: Span, group: str) -> Diagnostic:
    """A group lists the same key twice with different comments, but it counts as one person with one approval.

    Wrong:

        approvers:
          model-risk: {sshKeys: ["ssh-ed25519 AAAA… ada@acme.example", "ssh-ed25519 AAAA… bob@acme.example"]}

    Right:

        approvers:
          model-risk: {sshKeys: ["ssh-ed25519 AAAA… ada@acme.example"]}
    """
    return Diagnostic(
        "W0921",
        Severity.WARNING,
        f"a key of group {quote(group)} is listed twice",
        span,
        "keep the line that names the owner",
    )
