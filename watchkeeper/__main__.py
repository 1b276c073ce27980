"""`python -m watchkeeper`, and the `watchkeeper` command."""

from __future__ import annotations

import sys

from watchkeeper.importing import importing


def main() -> int:
    """Run the command in `sys.argv` and return the exit code."""
    with importing():  # here, because a process that trains trees imports this module and needs no command
        from watchkeeper.cli.app import main as run
    return run()


if __name__ == "__main__":
    sys.exit(main())
