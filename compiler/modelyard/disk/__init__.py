"""Write trees of files to disk. The result is either the new tree or the old tree, never a mixture.

A tree is `<out>/<environment>/<target>/`. It is prepared next to its final place and moved there by a single rename:

- Unchanged files are hard links to the old files, so they keep their inode and time. If nothing has changed, no file
  is touched, and folders keep their times.
- A record in the tree, `.modelyard.json`, lists the files that modelyard wrote with their hashes. All other files
  are carried over. If one of our files was edited manually, or another file is at one of our paths, the whole write
  fails. With force, the previous text is kept next to ours as `<name>.edited`. If another tool also writes to one of
  our files, as Pulumi does to a stack's settings, the tool's additions are kept.
- Links inside the output folder are never followed. Links that we did not create are carried over as links.
- A run that is killed at any moment leaves either the old tree or the new tree. Some file systems, and systems other
  than Linux, cannot exchange two folders in one step. There, the old folder is first renamed, and a kill between the
  two renames leaves no tree until the next run restores the old one.
- `write_folder` does the same for a single folder, which must not initially contain files that are not ours.
- A lock on `<out>/.modelyard.lock` allows only one run at a time to write; other runs wait. The run that holds the
  lock removes leftovers of dead runs. `unchanged` only reads and needs no lock.
"""

from modelyard.disk.compare import differences, first_line_that_differs
from modelyard.disk.files import Merged, OutputFile, Report, Tree
from modelyard.disk.folder import write_folder
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
    "write_folder",
    "write_tree",
    "write_trees",
]
