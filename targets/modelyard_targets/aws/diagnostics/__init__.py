"""AWS diagnostics, with the code prefixes AWS-E for errors and AWS-W for warnings."""

from __future__ import annotations

from typing import Final

from modelyard.when_used import load_when_used

load_when_used(__name__)

FORMER: Final = {
    "AWS-E020": "E0413",
    "E0485": "E0413",
    "E0486": "AWS-E021",
    "E0487": "AWS-E022",
    "E0640": "AWS-E001",
    "E0641": "AWS-E002",
    "E0642": "AWS-E003",
    "E0643": "AWS-E004",
    "E0644": "AWS-E005",
    "E0645": "AWS-E006",
    "E0646": "AWS-E007",
    "E0647": "AWS-E008",
    "W0648": "AWS-W009",
    "E0649": "AWS-E010",
    "E0650": "AWS-E011",
    "E0651": "AWS-E012",
    "W0652": "AWS-W013",
    "E0653": "AWS-E014",
    "E0654": "AWS-E015",
    "E0655": "AWS-E016",
    "E0656": "AWS-E017",
    "E0657": "AWS-E023",
    "E0673": "AWS-E018",
    "E0691": "AWS-E019",
}
"""Maps former codes to current ones. `modelyard explain` accepts both."""
