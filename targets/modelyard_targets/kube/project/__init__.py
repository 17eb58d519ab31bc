"""Projects of a placement: objects in files, and files in programs."""
