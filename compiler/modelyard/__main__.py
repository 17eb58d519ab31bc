"""`python -m modelyard` runs the same command line as `modelyard`."""

from modelyard.cli import command

if __name__ == "__main__":
    command()
