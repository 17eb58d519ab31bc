"""The description of a promoter, held against what this runtime can do."""

from __future__ import annotations

from modelyard_runtime.refusals import Refusal
from modelyard_runtime.workload.description import Section, integer, names, section, sections, text

_OF_STORES, _OF_REGISTRY = ("s3://", "file://"), ("models:/", "runs:/")


def check_promoter(workload: Section) -> None:
    """The same of the promoter: the approvals that it asks for can be given, and sources of imports be opened."""
    imports = {f"models.{name}": one for name, one in sections(workload, "imports").items()}
    for name, one in imports.items():
        uri, store = text(section(one, "import"), "uri"), text(section(one, "import"), "store")
        if not uri.startswith(_OF_STORES if store else _OF_REGISTRY):
            raise Refusal(f"{name}: a model cannot be imported from {uri}")
    asked = imports | {f"pipelines.{name}": one for name, one in sections(workload, "promotions").items()}
    asked |= {f"models.{name}": one for name, one in sections(workload, "stages").items()}
    for name, promotion in asked.items():
        approvals = section(promotion, "approvals")
        groups, keys = names(approvals, "from"), sections(approvals, "groups")
        without = [group for group in groups if not names(keys.get(group, {}), "sshKeys")]
        if without:
            raise Refusal(f"{name}: {without[0]!r} may approve, and has no key")
        if integer(approvals, "minimum") > len(groups):
            raise Refusal(f"{name}: {integer(approvals, 'minimum')} approvals cannot come from {len(groups)}")
