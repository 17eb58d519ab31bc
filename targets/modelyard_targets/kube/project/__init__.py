"""A placement's projects: manifest files with objects, and programs that apply the files."""
