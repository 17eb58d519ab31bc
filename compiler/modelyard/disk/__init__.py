"""Writes trees of files to disk: the result is the new tree or the old one, never a mixture.

A tree is `<out>/<environment>/<target>/`. It is prepared next to its final place and moved there by one rename:

- Unchanged files are hard links to the old ones, so they keep their inode and time. If nothing changed at all, no
  file and no folder's time is touched.
- A record in the tree, `.modelyard.json`, lists the files that modelyard wrote with their hashes. All other files
  are carried over. If one of our files was edited by hand, or a foreign file is at one of our paths, the whole write
  fails. With force, the previous text is kept next to ours as `<name>.edited`. If another tool also writes to one of
  our files, as Pulumi does to a stack's settings, its additions are kept.
- No link inside the output folder is followed; foreign links are carried over as links.
- A kill at any moment leaves the old tree or the new one. Systems other than Linux and some file systems cannot
  exchange two folders in one step. There, the old folder is first renamed aside, and a kill between the two renames
  leaves no tree until the next run restores the old one.
- A lock on `<out>/.modelyard.lock` allows one run to write at a time; others wait. The run with the lock removes
  leftovers of dead runs. `unchanged` only reads and needs no lock.
"""

from modelyard.disk.compare import differences, first_line_that_differs
from modelyard.disk.files import Merged, OutputFile, Report, Tree
from modelyard.disk.record import RECORD
from modelyard.disk.single import write_file_atomically
from modelyard.disk.write import unchanged, write_tree, write_trees
from modelyard.regular_files import read

__all__ = [
    "RECORD",
    "Merged",
    "OutputFile",
    "Report",
    "Tree",
    "differences",
    "first_line_that_differs",
    "read",
    "unchanged",
    "write_file_atomically",
    "write_tree",
    "write_trees",
]
