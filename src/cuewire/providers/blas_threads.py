"""How many threads the library beneath numpy multiplies with, for as long as it takes.

OpenBLAS reads its number from the environment when it is loaded, which is the whole process's and not ours to change.
It can be told later too. Its threads wait for each other by spinning: on two cores beside a busy event loop a pass of
12 ms took up to 670 ms with two of them (measured in November 2026).
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from typing import NamedTuple

_NAMES = (
    ("scipy_openblas_get_num_threads64_", "scipy_openblas_set_num_threads64_"),  # the wheels of numpy
    ("scipy_openblas_get_num_threads", "scipy_openblas_set_num_threads"),
    ("openblas_get_num_threads64_", "openblas_set_num_threads64_"),
    ("openblas_get_num_threads", "openblas_set_num_threads"),  # distributions
)


class Control(NamedTuple):
    """The two functions of OpenBLAS. The number is that of the whole process."""

    get: Callable[[], int]
    set: Callable[[int], object]


@contextmanager
def one_thread(control: Control | None) -> Iterator[None]:
    """Multiply on the calling thread alone until the end of the block; without a control nothing changes.

    What else multiplies meanwhile in this process does so on one thread too, and is otherwise left alone.
    """
    before = control.get() if control else 1
    if control is None or before == 1:
        yield
        return
    control.set(1)
    try:
        yield
    finally:
        control.set(before)


@cache
def find_control() -> Control | None:
    """Return the functions of the OpenBLAS that numpy is linked to, None if it is another library."""
    extension = find_spec("numpy.linalg._umath_linalg")
    if extension is None or not extension.has_location:
        return None
    # A lookup in an extension goes on in the libraries that it is linked to, so they need not be found.
    linked = ctypes.CDLL(extension.origin)
    for getter, setter in _NAMES:
        try:
            return Control(getattr(linked, getter), getattr(linked, setter))
        except AttributeError:
            continue
    return None
