"""What `feature()` and `enabled()` of a condition, and the feature list of `-vv`, answer.

Owns: the names that HAProxy 3.2 knows and whether maniple can do each. Must not know: where they are asked. Invariant:
True only for what works today; whoever adds an ability turns its word here, so that a file depending on it may start.
"""

from __future__ import annotations

from collections.abc import Mapping

_PRESENT = frozenset(("ACCEPT4", "CPU_AFFINITY", "EPOLL", "GETADDRINFO", "POLL", "SHM_OPEN", "THREAD"))
_KNOWN = (
    "51DEGREES ACCEPT4 BACKTRACE CLOSEFROM CPU_AFFINITY CRYPT_H DEVICEATLAS DL ENGINE EPOLL EVPORTS GETADDRINFO KQUEUE "
    "LIBATOMIC LIBCRYPT LINUX_CAP LINUX_SPLICE LINUX_TPROXY LUA MATH MEMORY_PROFILING NETFILTER NS OBSOLETE_LINKER "
    "OPENSSL OPENSSL_AWSLC OPENSSL_WOLFSSL OT PCRE PCRE2 PCRE2_JIT PCRE_JIT POLL PRCTL PROCCTL PROMEX "
    "PTHREAD_EMULATION QUIC QUIC_OPENSSL_COMPAT RT SHM_OPEN SLZ SSL STATIC_PCRE STATIC_PCRE2 SYSTEMD TFO THREAD "
    "THREAD_DUMP TPROXY WURFL ZLIB"
)

FEATURES: Mapping[str, bool] = {name: name in _PRESENT for name in _KNOWN.split()}
"""Every feature name of HAProxy's build, in its order."""

ENABLED_OPTIONS = frozenset(("EPOLL", "GETADDRINFO", "REUSEPORT"))
"""Options that HAProxy's flags -d? could turn off and that are at work (of POLL, EPOLL, KQUEUE, EVPORTS, SPLICE,
GETADDRINFO, REUSEPORT, FAST-FORWARD, SERVER-SSL-VERIFY-NONE)."""


def feature_list(features: Mapping[str, bool] = FEATURES) -> str:
    """The words of the `Feature list :` line of `-vv`: `+NAME` or `-NAME`."""
    return " ".join(("+" if present else "-") + name for name, present in features.items())
