"""The runtime image: its build context, its packages, and its bill of materials."""
