"""A placement on a cluster as lowering sees it: its context, its platform, its charts, names and ports."""
