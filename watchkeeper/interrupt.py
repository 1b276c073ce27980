"""Signals that end a program in a terminal: Ctrl-C, a service manager, a terminal that closes."""

from __future__ import annotations

import signal


def install_handlers() -> None:
    """Let SIGINT, SIGTERM and SIGHUP raise KeyboardInterrupt in the main thread, so that everything that was started is ended in order.

    SIGINT must be set explicitly: a program that a script starts with `&`, or that some CI runners start, inherits an ignored SIGINT, and Python leaves
    it ignored. An ignored SIGHUP stays ignored, because `nohup` is meant to do that.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.default_int_handler)
