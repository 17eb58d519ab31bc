"""A copy of a system for this machine, for `modelyard run --sample`: what was replaced, reduced and left out is listed.

A copy takes every target's place by this machine, every bucket's by a folder and a registry's by one that runs here.
User code that is only in an image cannot run here: a built-in trainer stands in for a training, datasets that other
code would write are generated, and whatever then remains without a model is left out.
"""

from modelyard.local_copy.copying import Copy, copy_of
from modelyard.local_copy.note import Note

__all__ = ["Copy", "Note", "copy_of"]
