"""What no cluster can honour of a plan."""
