"""Whether the process on this port of loopback is ready: `python probe.py PORT`, for the health checks of containers.

The exit code is 0 if it is ready, else 1, and then standard error says what is missing. The process tells that only to a request with its token.
"""

from __future__ import annotations

import os
import sys
import urllib.error
import urllib.request
from pathlib import Path


def main(port: str) -> int:
    """Ask once."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/health/ready")
    if file := os.environ.get("WATCHKEEPER_TOKEN_FILE"):
        request.add_header("Authorization", f"Bearer {Path(file).read_text(encoding='utf-8').strip()}")
    try:
        with urllib.request.urlopen(request, timeout=4):
            return 0
    except urllib.error.HTTPError as error:
        print(error.read().decode(errors="replace"), file=sys.stderr)
    except OSError as error:
        print(error, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
