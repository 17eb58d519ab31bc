"""What is reported about the keys of those who may approve: E0897 to W0899, E0920 and W0921."""

from __future__ import annotations

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def group_without_key(span: Span, group: str) -> Diagnostic:
    """A group may approve, and no key is listed for it: nothing that it says would count.

    An approval is a statement about the files of one version, signed with `modelyard approve` by the SSH key of a
    member. Whoever trains a model can write anything beside it, so that nothing else is one.

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
        f"group {quote(group)} may approve, and no key of it is listed",
        span,
        f"add approvers: {{{group}: {{sshKeys: [LINE OF id_ed25519.pub]}}}} to governance",
        follows=True,  # from a key that is wrong
    )


def key_of_two_groups(span: Span, group: str, other: str) -> Diagnostic:
    """One key is listed for two groups, so that one person could approve for both.

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
        f"a key of group {quote(group)} is listed for {quote(other)} as well",
        span,
        "list each key for one group",
    )


def person_of_two_groups(span: Span, person: str, group: str, other: str) -> Diagnostic:
    """Keys of two groups have the same comment, so that one person could approve for both with two keys.

    Whose a key is stands behind it, as ssh-keygen wrote it or as you do. Nothing else tells two people apart.

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
        f"{quote(person)} has keys in the groups {quote(other)} and {quote(group)}, and could approve for both",
        span,
        "list the keys of a person for one group, or write behind each key whose it is",
    )


def key_unusable(span: Span, group: str, why: str) -> Diagnostic:
    """A listed key is cut, changed, or of another type than it says: no signature could ever be verified with it.

    Each entry is the one line of a `.pub` file, as a whole: type, key, and whose it is. Keys of RSA have 2048 bits or
    more. `ssh-keygen -l -f FILE` prints what kind of key is in a file.

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
        f"a key of group {quote(group)} cannot be used: {why}",
        span,
        "list the whole line of a .pub file, such as ssh-keygen -t ed25519 makes",
    )


def key_twice(span: Span, group: str) -> Diagnostic:
    """The same key stands twice in a group, with another comment: it approves once, and belongs to one person.

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
        "keep the line that says whose it is",
    )
