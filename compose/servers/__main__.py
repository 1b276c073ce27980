"""`python -m compose.servers` fetches every server that can be had."""

from __future__ import annotations

import sys

from compose.servers.fetch import main

if __name__ == "__main__":
    sys.exit(main())
