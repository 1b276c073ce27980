"""Run a command as long as the process that started this one lives: `python -I leash.py COMMAND...`.

Prints the command's pid on standard output, sends the command's own output to standard error, and kills it when standard
input ends: the other end of that pipe closes with the process that holds it, however that dies. (The kernel's parent-death
signal would not do: it comes when the *thread* ends that started the child, and is lost when the child changes its user.)
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading


def _watch(process: subprocess.Popen[bytes]) -> None:
    os.read(0, 1)  # nobody writes: returns at the end
    process.kill()


def main(command: list[str]) -> int:
    """Run `command` to its end, or to ours; its exit code."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sys.stderr)
    print(process.pid, flush=True)
    threading.Thread(target=_watch, args=(process,), daemon=True).start()
    return process.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
