"""Models in use: where they are loaded from, which rows they accept, and what they answer."""
