"""A placement's projects, i.e. manifest files with objects and programs that apply these files."""
