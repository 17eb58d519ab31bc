"""A page on loopback that shows a system as it runs, for people who prefer to look."""
