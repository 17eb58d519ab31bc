"""Trees of files on disk: all of the new one or all of the old one, never a mixture.

A tree is `<out>/<environment>/<target>/`. It is prepared beside itself, and one rename puts it into its place:

- Files that did not change are hard links to what was there, so their inode and time stay. When nothing changed at all,
  nothing is touched: no file, no folder's time.
- A record in the tree, `.modelyard.json`, lists the files that are ours with their hashes. All else is somebody's own:
  it is carried into the new tree. A file of ours that somebody edited, or a file of theirs at a path of ours, refuses
  the whole write; with force, the text that was there is kept beside ours as `<name>.edited`. Where another tool writes
  to a file of ours too, as Pulumi does to a stack's settings, what it added stays.
- No link inside the output folder is followed; links of others are carried as links.
- Killed at any instant, the tree is the old or the new one. Where the system cannot exchange two folders in one step
  (other than Linux, or a file system that cannot), the old one is first renamed aside; a kill between the two renames
  leaves no tree until the next run puts the old one back.
- A lock on `<out>/.modelyard.lock` lets one run at a time write; others wait. Whoever holds it removes what runs that
  are dead left behind. `unchanged` only reads and needs no lock.
"""

from modelyard.disk.compare import differences, first_line_that_differs
from modelyard.disk.files import Merged, OutputFile, Report, Tree, read
from modelyard.disk.record import RECORD
from modelyard.disk.single import write_file_atomically
from modelyard.disk.write import unchanged, write_tree, write_trees

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
