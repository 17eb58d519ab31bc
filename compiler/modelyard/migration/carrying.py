"""The phases that build the new side and copy container images, data and the registry to it."""

from __future__ import annotations

from collections.abc import Iterable

from modelyard.migration.access import kubectl, logins
from modelyard.migration.copying import copies, pairs_of, registry_steps, site_steps
from modelyard.migration.jobs import login_steps, place_of
from modelyard.migration.projects import adopt, applied, compiled, previews, undone
from modelyard.migration.promoting import held_again, held_back, held_back_checks, resumed
from modelyard.migration.records import BUILD, Move, Phase, Step
from modelyard.migration.shell import command
from modelyard.migration.sides import Side
from modelyard.migration.sites import for_each_site


def build(move: Move) -> Phase:
    """Return the phase that creates the new side's infrastructure, but not its workloads."""
    return Phase(
        "1-build",
        "Create the infrastructure of the new side next to the old one.",
        (
            "The owners of the system and its data agree to the tables above.",
            "The quotas listed above are granted.",
            f"Whoever applies has read the README.md of every target in {BUILD}/{move.side('new').name}/.",
        ),
        (
            Step(
                "Add the new environment to the spec, and compile it. Commit both, and the lock.",
                (*adopt(move, "1-build"), compiled(move)),
            ),
            *applied(move, infrastructure=True),
        ),
        (
            Step(
                "The projects match the spec, and applying again changes nothing.",
                (command("modelyard", "verify", *move.spec, "--env", move.side("new").name), *previews(move, True)),
                "no differences, and no changes in each preview",
            ),
        ),
        (Step("Nothing uses the new side yet. Destroy it, the last project first.", tuple(undone(move, True))),),
        "about an hour, plus days for quotas",
        "the floor of the new side from now on",
        move.sides.idle.overlay,
    )


def images(move: Move) -> Phase:
    """Return the phase that copies container images by digest, and builds the runtime image."""
    steps: list[Step] = []
    checks: list[Step] = []
    for target, handover in move.handovers["new"].items():
        needed = (*([handover.copier] if target in _copying(move) else []), *handover.images)
        copied = [(public, here) for public, here in needed if public != here]
        if copied:
            new = move.side("new")
            lines = _at_sites(new, (command("crane", "copy", public, here) for public, here in copied))
            steps.append(Step(f"Copy the images that {target} pulls from its own registry.", lines))
            same = _at_sites(new, (_same_digest(public, here) for public, here in copied))
            checks.append(Step("Both names have the same digest.", same, "nothing; exit code 0 each"))
        if handover.image:
            where = f"{BUILD}/{move.side('new').name}/{target}"
            steps.append(
                Step(
                    f"Build the runtime image of {target} from {where}/image and push it, as README.md there says under"
                    " Apply. It is built for each provider, so it is not copied from the old side."
                )
            )
        users = [public for public, here in handover.images if public == here and public in _own(move)]
        if users:
            lines = tuple(_digest(image) for image in users)
            checks.append(Step(f"{target} can pull your own images from where they are.", lines, "a digest each"))
    return Phase(
        "3-images",
        "Copy the images to where the new side pulls them from.",
        ("1-build is done, because it creates the clouds' registries.", "crane, with a login for each registry."),
        tuple(steps) or (Step("The new side pulls every image from where it is published."),),
        tuple(checks),
        (Step("Leave them: nothing uses them yet."),),
        "minutes per image",
        "egress from the old registry, at most 10 GB per image",
    )


def workloads(move: Move) -> Phase:
    """Return the phase that starts the new side's workloads with schedules off."""
    return Phase(
        "4-workloads",
        "Start the new side without schedules: endpoints wait for a model, and nothing trains or is imported.",
        ("2-secrets and 3-images are done.",),
        (
            *logins(move, "new"),
            *applied(move, infrastructure=False),
            *held_back(move),
            *logins(move, "old"),
        ),
        (
            Step(
                "Applying again changes nothing, and every schedule is suspended or on demand.",
                (
                    *previews(move, False),
                    *(
                        line
                        for name, handover in move.handovers["new"].items()
                        if handover.namespace
                        for line in for_each_site(move.side("new"), f"{kubectl(move, 'new', name)} get cronjobs")
                    ),
                ),
                "no changes; SUSPEND is True for pipelines",
            ),
            *held_back_checks(move),
        ),
        (Step("Remove the workloads of the new side.", tuple(undone(move, False))),),
        "half an hour",
        "the floor of the new side",
    )


def data(move: Move) -> Phase:
    """Return the phase that first copies the stores' data. Repeating it copies what has changed since."""
    name = "5-data"
    copied = copies(move, name, "old", "new")
    at_sites = site_steps(move)
    if not (copied.steps or at_sites):
        return Phase(
            name,
            "Copy nothing: no bucket of the old side has another one on the new side.",
            ("4-workloads is done.",),
            (Step("Both sides use the same buckets, or none, so there is nothing to copy."),),
            (),
            (Step("Nothing was copied, so there is nothing to undo."),),
            "no time",
            "nothing",
        )
    return Phase(
        name,
        "Copy data, captures and artifacts while the old side keeps working.",
        (
            "4-workloads is done, so that the buckets exist.",
            "rclone 1.64 or newer, on a machine that can reach both sides and is in a place that the residency allows;"
            " or a Job for each store, in a cluster.",
            "rclone's credentials come from the environment, as for each provider's own command line.",
        ),
        (*login_steps(move, pairs_of(move, "old", "new")), *copied.steps, *at_sites),
        copied.checks,
        (Step("Delete the copies on the new side. Nothing on the old side has changed."),),
        "days for terabytes: repeat until a run takes minutes",
        "egress from the old side, see above",
        files=copied.files,
    )


def registry(move: Move) -> Phase:
    """Return the phase that copies the registry's experiments, runs, model versions, aliases and tags."""
    do, check = registry_steps(move)
    held = held_again(move, "Keep the new side's promoter suspended while the registry is copied.")
    goes_on = resumed(move, "Let the new side's promoter run: it finds the copied versions, and delivers them.")
    return Phase(
        "6-registry",
        "Copy the registry with all IDs, versions, aliases, tags and approvals.",
        ("5-data is done: versions refer to files that must exist.", "No training is running."),
        (*held, *do, *goes_on),
        check,
        (
            *held_again(move, "Suspend the new side's promoter again."),
            Step("Repeat the phase later: importing again replaces the copy."),
        ),
        "minutes",
        "nothing",
    )


def _at_sites(side: Side, commands: Iterable[str]) -> tuple[str, ...]:
    return tuple(line for one in commands for line in for_each_site(side, one))


def _copying(move: Move) -> frozenset[str]:
    """Return the targets of the new side on which Jobs copy data."""
    places = (place_of(move, ends) for ends in pairs_of(move, "old", "new"))
    return frozenset(place.target for place in places if place is not None and place.which == "new")


def _own(move: Move) -> frozenset[str]:
    """Return the container images of the user's own code."""
    system = move.side("new").system
    steps = {step.source.image for workload in system.pipelines.values() for step in workload.steps}
    return frozenset({*steps, *(workload.source.image for workload in system.inference.values())} - {""})


def _same_digest(public: str, here: str) -> str:
    """Return a subshell command that compares two digests, as `bash -e` ignores failures before `&&`."""
    return f'(digest=$({_digest(public)}) && test "$digest" = "$({_digest(here)})")'


def _digest(image: str) -> str:
    return command("crane", "digest", image)
