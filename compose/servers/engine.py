"""ClickHouse's engine as a server: `python -I engine.py LIBRARY FOLDER PORT`, one process for each folder."""

from __future__ import annotations

import ctypes
import sys

# There is no daemon in it: a query that never ends keeps `clickhouse-local`, which can listen, alive. One that is refused, as when memory is short, is followed by the next.
_FOREVER = (
    "SELECT sleepEachRow(1) FROM numbers(1000000000) SETTINGS max_block_size=1, function_sleep_max_microseconds_per_block=0 FORMAT Null;"
)
_TIMES = 1_000


def main(library: str, folder: str, port: str) -> None:
    """Serve HTTP on this port of loopback until a signal comes."""
    words = [
        "clickhouse",
        f"--path={folder}",
        f"--http_port={port}",
        "--listen_host=127.0.0.1",
        "--ignore-error",
        *(f"--compile_{what}=0" for what in ("expressions", "aggregate_expressions", "sort_description")),  # dear for a server of an hour
        "--query=SYSTEM START LISTEN HTTP;" + _FOREVER * _TIMES,
    ]
    run = ctypes.CDLL(library).chdb_query_cmdline
    run.restype = ctypes.c_void_p
    run.argtypes = [ctypes.c_int, ctypes.POINTER(ctypes.c_char_p)]
    run(len(words), (ctypes.c_char_p * len(words))(*(word.encode() for word in words)))


if __name__ == "__main__":
    main(*sys.argv[1:4])
