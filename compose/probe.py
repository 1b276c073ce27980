"""Whether the process on this port of loopback is ready: `python probe.py PORT`, for the health checks of containers.

Exit code 0: ready; 1: not, with what is missing on standard error: that is told to whoever brings the token that the process itself was given.
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
