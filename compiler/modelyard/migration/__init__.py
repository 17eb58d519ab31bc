"""Plan the move of a running system to other targets, without executing any of it.

Both sides are environments of one spec, so each is a complete system that compiles, and both can run at once.
"""
