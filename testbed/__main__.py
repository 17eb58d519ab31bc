"""`python -m testbed`: sets up the real parts on this machine."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from testbed import browser, build, environments, machine, npm


def main() -> int:
    """Run the subcommand. Return 1 if this machine cannot run everything."""
    parser = argparse.ArgumentParser(prog="python -m testbed", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("packages", help="install what the real parts need from Debian and npm, where that is possible")
    building = verbs.add_parser("build", help="build what is missing from Go modules")
    building.add_argument("part", nargs="*", help="only these parts")
    verbs.add_parser("missing", help="say in plain words what cannot run here")
    preparing = verbs.add_parser("environment", help="make an environment once, and print its interpreter")
    preparing.add_argument("requirements", type=Path, nargs="+")
    making = verbs.add_parser("venv", help="make a virtual environment")
    making.add_argument("folder", type=Path)
    args = parser.parse_args()
    if args.verb == "packages":
        machine.install_packages()
        npm.install()
    elif args.verb == "build":
        build.build(frozenset(args.part))
    elif args.verb == "environment":
        print(environments.environment("\n".join(map(Path.read_text, args.requirements))))
    elif args.verb == "venv":
        machine.make_venv(args.folder)
    else:
        reasons = dict.fromkeys(
            (
                *machine.missing_for_whole_kubernetes(),
                *machine.missing_for_images(),
                *npm.missing_for_editors(),
                *npm.missing_for_azure(),
                *browser.missing(),
            )
        )
        print("\n".join(reasons) or "everything can run here")
        return 1 if reasons else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
