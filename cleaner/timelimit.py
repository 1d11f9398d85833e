"""A limit on the time that a piece of Python may take, in any thread and any process."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class TakesTooLongError(BaseException):
    """The time is over. Not an `Exception`, so that no handler on the way catches it."""


@contextmanager
def no_longer_than(seconds: float) -> Iterator[None]:
    """Interrupt this thread, main or not, wherever it is in Python code, once the time is over.

    Args:
        seconds: of the clock on the wall. A call into C is not interrupted, only what follows it.

    Raises:
        TakesTooLongError: once the time is over.
    """
    thread, lock, done = threading.get_ident(), threading.Lock(), False

    def interrupt() -> None:
        with lock:
            if not done:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(TakesTooLongError))

    timer = threading.Timer(seconds, interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        with lock:
            done = True
        timer.cancel()
