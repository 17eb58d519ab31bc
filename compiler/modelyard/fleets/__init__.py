"""Compile a site group once, check the result for every site, and emit one project with a stack per site."""
