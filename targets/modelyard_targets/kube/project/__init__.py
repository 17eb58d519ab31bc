"""Projects of a placement: objects in files, files in programs."""
