"""Compile a group of sites once, check it for all its sites, and emit one project with a stack for each site."""
