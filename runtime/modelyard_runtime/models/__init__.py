"""Models in use: how they are loaded, which rows they accept, and what they predict."""
