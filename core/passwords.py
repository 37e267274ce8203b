"""Passwords against the hashes of crypt(3), by the system's own libcrypt, as HAProxy does it (manual 12.1: `user`).

Owns: finding the library, one check, the comparison. Must not know: users, who asks. The library is called by ctypes
because Python's `crypt` is gone in 3.13 and every libc comes with it (glibc systems as libcrypt.so.1 or .2, musl inside
libc.so); pure Python implementations take ten times as long, on the thread that forwards. What formats there are is the
system's matter: `$1$` `$5$` `$6$` everywhere, `$2b$` and `$y$` with libxcrypt.

Invariants: a check takes milliseconds (`$6$`: 4, `$y$`: 28) without the GIL; who asks often has to remember answers. A
comparison takes the same time whatever differs.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import hmac
import threading
from collections.abc import Callable
from functools import cache
from typing import Any

_WORK_SIZE = 1 << 18
"""Bytes of crypt_r's working area: glibc's struct has 131,232, libxcrypt's 32,768."""
_NAMES = ("libcrypt.so.1", "libcrypt.so.2")
_OF_THREAD = threading.local()


class NoCryptError(RuntimeError):
    """This system has no crypt_r."""


@cache
def _library() -> Any:
    """The library with crypt_r. NoCryptError."""
    found = ctypes.util.find_library("crypt")
    for name in (*_NAMES, *((found,) if found else ()), None):  # None: what the process itself has (musl)
        try:
            library = ctypes.CDLL(name)
            library.crypt_r.restype = ctypes.c_char_p
            library.crypt_r.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p)
        except (OSError, AttributeError):
            continue
        return library
    raise NoCryptError("this system has no libcrypt: install the package libcrypt1 or libxcrypt")


def _work() -> Any:
    work = getattr(_OF_THREAD, "work", None)
    if work is None:
        work = _OF_THREAD.work = ctypes.create_string_buffer(_WORK_SIZE)
    return work


def hash_of(password: bytes, setting: bytes) -> bytes | None:
    """The hash of a password under a setting, which may be a whole hash; None where the system does not know such.
    NoCryptError."""
    if b"\0" in password or b"\0" in setting:
        return None
    result: bytes | None = _library().crypt_r(password, setting, _work())
    return None if result is None or result.startswith(b"*") else result


def is_password(password: bytes, hashed: bytes) -> bool:
    """Whether this is the password of that hash. NoCryptError."""
    result = hash_of(password, hashed)
    return result is not None and hmac.compare_digest(result, hashed)


def complaint(hashed: bytes) -> str:
    """What is wrong with a hash, "" where nothing is known to be. NoCryptError."""
    library = _library()
    check: Callable[[bytes], int] | None = getattr(library, "crypt_checksalt", None)
    if check is not None and b"\0" not in hashed:
        # libxcrypt's, and cheap: 0 is right, 3 an old format, 4 one that costs little.
        return "" if check(hashed) in (0, 3, 4) else "crypt(3) of this system does not know such a hash"
    return "" if hash_of(b"", hashed) is not None else "crypt(3) of this system does not know such a hash"
