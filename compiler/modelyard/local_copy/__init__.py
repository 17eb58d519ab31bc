"""A local copy of a system for `modelyard run --sample`, with a list of everything that the copy changes.

A copy replaces every target with this machine, every bucket with a folder, and the registry with a local one. User code
that exists only in an image can't run here: a built-in trainer replaces training code, and datasets that other code
would write are generated. A small model stands in for each imported language model. Anything that still lacks a model
is left out.
"""

from modelyard.local_copy.copying import Copy, copy_of
from modelyard.local_copy.language import StandIn, stand_ins
from modelyard.local_copy.note import Note

__all__ = ["Copy", "Note", "StandIn", "copy_of", "stand_ins"]
