"""`python -m modelyard` runs the same command line as `modelyard`."""

import sys

from modelyard.cli import main

if __name__ == "__main__":
    sys.exit(main())
