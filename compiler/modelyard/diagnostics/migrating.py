"""Diagnostics of `modelyard migrate`: systems that cannot move, and plans that do not match their folder or spec."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from modelyard.diagnostics.base import Diagnostic, Severity, joined, nearest, quote
from modelyard.source import Span


def unknown_source(name: str, known: Sequence[str]) -> Diagnostic:
    """`--from` must name a target that the spec has in the environment that moves.

    Wrong: `modelyard migrate . --from aws --to gcp`, where the target on AWS is called `main`.

    Right: `modelyard migrate . --from main --to gcp`
    """
    hint = nearest(name, known, "did you mean {}?") or f"choose from {', '.join(known)}"
    return Diagnostic("E0541", Severity.ERROR, f"the spec has no target {quote(name)} to move from", None, hint)


def unknown_destination(name: str, providers: Iterable[str], names: Sequence[str]) -> Diagnostic:
    """`--to` names a provider, with or without a region, or another target of the spec.

    Wrong: `modelyard migrate . --from main --to google`

    Right: `modelyard migrate . --from main --to gcp:europe-west3`
    """
    known = (*providers, *names)
    hint = nearest(name, known, "did you mean {}?") or f"choose from {', '.join(known)}"
    what = (
        f"{quote(name)} is neither a provider nor a target of the spec" if name else "--to does not name a destination"
    )
    return Diagnostic("E0542", Severity.ERROR, what, None, hint)


def there_already(sources: Sequence[str], place: str) -> Diagnostic:
    """A migration must go to another provider, another region or another target.

    Wrong: `modelyard migrate . --from main --to aws`, where `main` is on AWS.

    Right: `modelyard migrate . --from main --to aws:eu-west-1`
    """
    whose = "its" if len(sources) == 1 else "their"
    hint = "name another provider, another region as --to PROVIDER:REGION, or another target"
    message = f"{joined(map(quote, sources))} would not move: {quote(place)} is {whose} current location"
    return Diagnostic("E0543", Severity.ERROR, message, None, hint)


def no_destination(name: str, reason: str, hint: str) -> Diagnostic:
    """Nothing can be moved to this provider, the region is unknown, or `governance.residency` excludes all regions.

    Wrong: `modelyard migrate . --from main --to local`, or `--to kubernetes:frankfurt`

    Right: `modelyard migrate . --from main --to kubernetes`
    """
    return Diagnostic("E0544", Severity.ERROR, f"cannot move to {quote(name)}: {reason}", None, hint)


def outside_residency(name: str, allowed: Iterable[str], excluded: Mapping[str, str]) -> Diagnostic:
    """Return the error for a provider whose regions `governance.residency` excludes, given the nearest of them."""
    reason = f"`governance.residency` allows only {joined(allowed)}, where it has no region that every account can use"
    countries = joined(dict.fromkeys(excluded.values()), "or")
    if not countries:
        return no_destination(name, reason, "move to another provider, or widen `governance.residency`")
    nearest_regions = joined(f"{region} ({country})" for region, country in excluded.items())
    return no_destination(
        name,
        f"{reason}; the nearest are {nearest_regions}",
        f"move to another provider, or add {countries} to `governance.residency` if data may be stored there",
    )


def environment_name_taken(name: str, reason: str) -> Diagnostic:
    """The new side becomes an environment of the spec, so it needs a name that no other environment has.

    Wrong: `modelyard migrate . --from main --to gcp --name prod`, where `prod` exists.

    Right: `modelyard migrate . --from main --to gcp --name prod-gcp`
    """
    return Diagnostic(
        "E0545", Severity.ERROR, f"environment {quote(name)} {reason}", None, "name another environment with --name"
    )


def not_our_folder(folder: str, reason: str) -> Diagnostic:
    """`modelyard migrate` only writes to a folder that is empty or that it wrote for the same migration.

    It does not overwrite files that were edited by hand.

    Wrong: `modelyard migrate . --from main --to gcp --out docs`

    Right: `modelyard migrate . --from main --to gcp --out migration`
    """
    return Diagnostic(
        "E0546", Severity.ERROR, f"{folder}: {reason}", None, "choose another folder with --out, or move the file away"
    )


def not_next(phase: str, reason: str, hint: str) -> Diagnostic:
    """Phases must be completed in order, because each depends on the ones before it.

    Wrong: `modelyard migrate --done 9-cut-over`, right after `1-build`.

    Right: `modelyard migrate --done 2-secrets`
    """
    return Diagnostic("E0547", Severity.ERROR, f"phase {quote(phase)} {reason}", None, hint)


def spec_has_changed(folder: str) -> Diagnostic:
    """A plan describes the spec that it was made from, so its commands may be wrong after the spec has changed.

    Regenerating the plan keeps the record of completed phases.

    Wrong: changing `system.yaml`, and then `modelyard migrate --done 5-data`.

    Right: `modelyard migrate . --from main --to gcp` again, a look at what changed, and then `--done 5-data`.
    """
    return Diagnostic(
        "E0548",
        Severity.ERROR,
        f"the spec has changed since the plan in {folder} was made",
        None,
        "run modelyard migrate again with --from and --to; completed phases stay completed",
    )


def no_plan(folder: str, reason: str) -> Diagnostic:
    """`--status` and `--done` need a plan that `modelyard migrate` has written.

    Wrong: `modelyard migrate --status` in a folder without `migration/`.

    Right: `modelyard migrate . --from main --to gcp`, and then `modelyard migrate --status`.
    """
    hint = "make the plan with --from and --to, or name its folder with --out"
    return Diagnostic("E0549", Severity.ERROR, f"{folder} has no migration plan: {reason}", None, hint)


def cannot_rehearse(programs: Sequence[str]) -> Diagnostic:
    """A rehearsal runs the commands in the plan, so it needs the programs that they call.

    It does not need `pulumi`, `kubectl` and `crane`, because it replaces them with stand-ins.

    Wrong: `modelyard migrate . --to gcp --rehearse` on a machine without rclone.

    Right: `sudo apt install rclone`, or another way from https://rclone.org/install, and then the same command.
    """
    hint = f"install {' and '.join(programs)}, which the plan's commands also need"
    return Diagnostic("E0550", Severity.ERROR, f"not installed: {', '.join(programs)}", None, hint)


def rehearsed_already(folder: str) -> Diagnostic:
    """A folder holds one rehearsal at a time. A killed one can continue as soon as its last command has ended.

    Wrong: `modelyard migrate . --to gcp --rehearse` in two terminals.

    Right: wait until the first has ended.
    """
    hint = "wait until it ends, or press Ctrl-C in its terminal"
    return Diagnostic("E0551", Severity.ERROR, f"{folder}: a rehearsal is already running", None, hint)


def old_side_fails(log: str) -> Diagnostic:
    """A rehearsal starts with a copy of the system that has run once, with data, trained versions and predictions.

    Wrong: a rehearsal of a system whose `modelyard run . --sample --once` fails.

    Right: make this command succeed first, then rehearse.
    """
    hint = f"see {log}, and run the copy on its own: modelyard run . --sample --once"
    return Diagnostic("E0552", Severity.ERROR, "the copy of the old side failed to run on this machine", None, hint)


def rehearsal_failed(phase: str, reason: str) -> Diagnostic:
    """A step of a rehearsal did not do what the plan says. The real move would have stopped there too.

    Wrong: carry on by hand in the rehearsal folder.

    Right: fix the cause and run the same command again, which continues with this phase.
    """
    hint = "fix the cause and run the same command again; it continues with this phase"
    return Diagnostic("E0553", Severity.ERROR, f"the rehearsal stopped in {phase}: {reason}", None, hint)


def address_left_behind(span: Span, what: str, host: str, old: str, new: str) -> Diagnostic:
    """A Service name such as minio.storage.svc resolves only in its own cluster, which the move leaves behind.

    Wrong: `modelyard migrate . --to aws:eu-central-1`, where a store has `endpoint: "http://minio.storage.svc:9000"`.

    Right: the same with `--overlay aws.yaml`, where the store has an address that both clusters reach, or a bucket of
    the cloud: `stores: {files: {endpoint: null, credentials: null, adopt: null}}`
    """
    return Diagnostic(
        "E0554",
        Severity.ERROR,
        f"{what} keeps the address {quote(host)}, which resolves only inside the cluster of target {quote(old)}; the"
        f" cluster that the move creates for target {quote(new)} cannot reach it",
        span,
        "use an address that both clusters reach, or remove the address so that the new side gets its own",
    )
