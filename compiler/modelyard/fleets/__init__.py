"""Compile a group of sites once, check the result for all sites, and emit one project with a stack for each site."""
