"""Plan the move of a running system to other targets, without carrying out any of the steps.

Both sides are environments of the same spec, so each is a complete system that compiles, and both can run at the same
time.
"""
