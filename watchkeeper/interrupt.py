"""What ends a program that runs in a terminal: Ctrl-C, a service manager, a terminal that closes."""

from __future__ import annotations

import signal


def install_handlers() -> None:
    """Let SIGINT, SIGTERM and SIGHUP raise KeyboardInterrupt in the main thread, so that whatever was started is ended in order.

    Set explicitly: a program that a script starts with `&`, or some CI runners start, inherits an ignored SIGINT, and Python then leaves it
    ignored. An ignored SIGHUP stays ignored, for that is what `nohup` is for.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.default_int_handler)
