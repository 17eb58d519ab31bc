"""Column profiles, and measures of drift from them."""
