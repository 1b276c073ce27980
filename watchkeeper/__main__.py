"""`python -m watchkeeper`, and the `watchkeeper` command."""

from __future__ import annotations

import sys

from watchkeeper.cli.app import main

if __name__ == "__main__":
    sys.exit(main())
