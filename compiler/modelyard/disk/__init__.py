"""Trees of files on disk: a write leaves the new tree or the old one, never a mixture.

A tree is `<out>/<environment>/<target>/`. It is prepared next to its final place and moved there by one rename:

- Unchanged files are hard links to the old ones, so they keep their inode and time. If nothing changed at all, nothing
  is touched: no file, no folder's time.
- A record in the tree, `.modelyard.json`, lists the files that modelyard wrote with their hashes. All other files
  are carried over. If one of our files was edited by hand, or a file of another origin is at one of our paths, the
  whole write fails; with force, the previous text is kept next to ours as `<name>.edited`. Where
  another tool writes to a file of ours too, as Pulumi does to a stack's settings, its additions are kept.
- No link inside the output folder is followed; foreign links are carried over as links.
- A kill at any moment leaves the old tree or the new one. Where the system cannot exchange two folders in one step
  (systems other than Linux, or a file system without support), the old one is first renamed aside; a kill between the
  two renames leaves no tree until the next run restores the old one.
- A lock on `<out>/.modelyard.lock` lets one run write at a time; others wait. The holder removes what dead runs left
  behind. `unchanged` only reads and needs no lock.
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
