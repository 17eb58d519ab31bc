"""The phase that stores the new side's secrets. Its commands pass on values without printing them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.handover import SecretPlace
from modelyard.migration.access import kubectl, logins, pulumi
from modelyard.migration.records import Move, Phase, Step
from modelyard.migration.shell import command, shell
from modelyard.migration.sites import at_site, for_each_site, site_names
from modelyard.sites.binding import has_markers

_OPENED: Final = (
    'import base64, json, sys; data = json.load(sys.stdin)["data"];'
    " print(json.dumps({key: base64.b64decode(data[key]).decode() for key in sys.argv[1:]}))"
)
"""A Python program that prints the named keys of a Kubernetes Secret as a JSON object."""

_CLOSED: Final = (
    "import json, sys; name, kind, *keys = sys.argv[1:]; data = json.load(sys.stdin);"
    ' print(json.dumps({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "type": kind,'
    ' "stringData": {key: data[key] for key in keys}}))'
)
"""A Python program that prints a Kubernetes Secret with the named keys of a JSON object."""

READS_SECRET: Final = "(value=$("
"""The beginning of each command that reads a secret's value."""


def secrets(move: Move) -> Phase:
    """Return the phase that stores the secrets of the new side."""
    new = move.side("new")
    pairs = [(target, secret) for target, handover in move.handovers["new"].items() for secret in handover.secrets]
    steps = [_step(move, target, secret) for target, secret in pairs]
    in_cluster = any(secret.via == "existing" for _, secret in pairs)
    kubeconfigs = logins(move, "new") if in_cluster else ()
    check = tuple(
        Step(
            f"After 4-workloads: Secret {secret.name} has all keys. The command prints names, but no values.",
            for_each_site(new, f"{kube} describe secret {shell(secret.name)}"),
            f"the keys {', '.join(secret.keys)}",
        )
        for target, secret in pairs
        for kube in (kubectl(move, "new", target, secret.namespace),)
    )
    return Phase(
        "2-secrets",
        "Store the secrets that workloads on the new side read, at the same paths.",
        ("Someone who may read each secret on the old side and write it on the new one.",),
        (*kubeconfigs, *dict.fromkeys(steps)) or (Step("No workload on the new side needs a secret from you."),),
        check,
        (Step("Remove them from the new side's store. The old side keeps its own secrets."),),
        "minutes per secret",
        "nothing",
    )


def _step(move: Move, target: str, secret: SecretPlace) -> Step:
    """Return the step that stores a secret, using the old side's value or, if there is none, a file's content."""
    text = f"{target}: {', '.join(secret.keys)} {_place(target, secret)}. Read by {', '.join(secret.workloads)}."
    write = _write(move, target, secret)
    if not write:
        return Step(f"{text} The spec does not say which service that store reads, so use that service's own client.")
    file = f"{move.side('new').system.metadata.name}-{secret.name}.json"
    from_file = f'cat "$HOME"/{shell(file)}'
    copied = _filled(move, write, _read_old(move, secret))
    if copied:
        text += f" The commands store the old side's value, and print none. For another value, put `{from_file}` in"
        text += " place of the command that reads the old one: a file with a JSON object that has these keys."
        return Step(text, copied)
    text += f" The old side has no such secret. Write a JSON object with these keys to {file} in your home folder, with"
    text += " a umask of 077, and delete it afterwards. The commands print no value."
    return Step(text, _filled(move, write, from_file))


def _filled(move: Move, write: tuple[str, ...], read: str) -> tuple[str, ...]:
    """Return the commands that store the secret printed by `read`, for each site of the new side.

    Returns no commands if `read` is empty, or if the secret differs by site on the old side only.
    """
    if not read:
        return ()
    new, old = move.side("new"), move.side("old")
    lines: list[str] = []
    for template in write:
        names = site_names(new, template)
        if not names and has_markers(read):
            return ()
        if any(has_markers(at_site(old, name, read)) for name in names):
            return ()
        filled_in = [at_site(new, name, template).replace(_READ, at_site(old, name, read)) for name in names]
        lines += dict.fromkeys(filled_in or [template.replace(_READ, read)])
    return tuple(lines)


_READ: Final = "<read>"


def _place(target: str, secret: SecretPlace) -> str:
    if secret.via == "existing":
        return f"as Secret {secret.name} in namespace {secret.namespace}"
    name = f", where it is called {secret.stored_as}" if secret.stored_as not in {"", secret.path} else ""
    return f"as {secret.path} in the store {secret.store} ({secret.via}), which {target} reads{name}"


def _write(move: Move, target: str, secret: SecretPlace) -> tuple[str, ...]:
    """Return the commands that store a secret, or none if the service is unknown. The last one reads the value."""
    if secret.commands is not None:
        output = _output(move, "new", target, secret)
        make = f"{{ {secret.commands.make}; }} && " if secret.commands.make else ""
        return (f'{READS_SECRET}{_READ}) && {output}{make}printf %s "$value" | {secret.commands.write})',)
    if secret.via != "existing":
        return ()
    kube = kubectl(move, "new", target, secret.namespace)
    close = command("python", "-c", _CLOSED, secret.name, secret.kind, *secret.keys)
    return (
        f"{kube} create namespace {shell(secret.namespace)} --dry-run=client -o yaml | {kube} apply --server-side -f -",
        f'{READS_SECRET}{_READ}) && printf %s "$value" | {close} | {kube} apply --server-side -f -)',
    )


def _read_old(move: Move, secret: SecretPlace) -> str:
    """Return the command that prints a secret's value on the old side as a JSON object, or "" if there is none."""
    for target, handover in move.handovers["old"].items():
        for old in handover.secrets:
            if (old.store, old.path) != (secret.store, secret.path) or not {*secret.keys} <= {*old.keys}:
                continue
            if old.commands is not None:
                return _output(move, "old", target, old) + old.commands.read
            if old.via == "existing":
                kube = kubectl(move, "old", target, old.namespace)
                opened = command("python", "-c", _OPENED, *secret.keys)
                return f"{kube} get secret {shell(old.name)} -o json | {opened}"
    return ""


def _output(move: Move, which: str, target: str, secret: SecretPlace) -> str:
    """Return a command prefix that saves the Pulumi output used by the command in a variable."""
    name = secret.commands.output if secret.commands is not None else ""
    return "".join(f"{name}=$({line}) && " for line in _outputs(move, which, target, name)) if name else ""


def _outputs(move: Move, which: str, target: str, name: str) -> Iterator[str]:
    for stack, project in move.projects(which):
        if stack.target == target and project.folder == "infrastructure":
            yield from pulumi(move, which, target, project, "stack", "output", name)
