"""The runtime image, including its build context, packages, and bill of materials."""
