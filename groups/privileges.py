"""What the supervisor takes from the system before it forks: descriptors for maxconn, and the user to run as.

Owns: the system calls and HAProxy's words when they fail. Must not know: groups. The order is the caller's: sockets are
bound and limits raised as root, then the privileges go, for good.
"""

from __future__ import annotations

import grp
import os
import pwd
import resource

from ..core.config.model import Configuration, GlobalSpec
from ..core.errors import ManipleError

DESCRIPTORS_WITHOUT_MAXCONN = 1048576
"""Upper bound of what is taken when no maxconn is written (manual 3.1 `fd-hard-limit`)."""
_SPARE = 64
"""Descriptors of the interpreter, the event loop, logs and channels."""


class PrivilegeError(ManipleError):
    """The system refuses what the configuration needs."""


def needed_descriptors(configuration: Configuration, listeners: int) -> int:
    """Descriptors that one group may need: all connections may come to the same group, each with one to a server.
    0: the configuration does not say how many connections there may be."""
    written = configuration.globals.ulimit_n
    if written:
        return written
    maxconn = configuration.globals.maxconn
    if not maxconn:
        return 0
    servers = sum(len(proxy.servers) for proxy in configuration.proxies)
    return 2 * maxconn + 2 * listeners + servers + _SPARE


def raise_descriptor_limit(needed: int) -> int:
    """Raises RLIMIT_NOFILE, as far as `needed` (0: as far as the hard limit), and returns the limit. Raises
    PrivilegeError when that is more than this user may have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if not needed:
        needed = DESCRIPTORS_WITHOUT_MAXCONN
        if hard != resource.RLIM_INFINITY:
            needed = min(needed, hard)
    if soft != resource.RLIM_INFINITY and soft < needed:
        try:
            resource.setrlimit(
                resource.RLIMIT_NOFILE,
                (needed, hard if hard == resource.RLIM_INFINITY else max(hard, needed)),
            )
        except (ValueError, OSError) as error:
            raise PrivilegeError(f"Cannot raise FD limit to {needed}, limit is {hard}.") from error
        soft = needed
    return soft


def wanted_user(spec: GlobalSpec) -> tuple[int | None, int | None]:
    """User and group ids that the global section asks for. Raises PrivilegeError for names that do not exist."""
    uid, gid = spec.uid, spec.gid
    if spec.user is not None:
        try:
            uid = pwd.getpwnam(spec.user).pw_uid
        except KeyError as error:
            raise PrivilegeError(f"cannot find user id for '{spec.user}'") from error
    if spec.group is not None:
        try:
            gid = grp.getgrnam(spec.group).gr_gid
        except KeyError as error:
            raise PrivilegeError(f"cannot find group id for '{spec.group}'") from error
    return uid, gid


def drop_privileges(uid: int | None, gid: int | None) -> None:
    """Becomes that group and user. Supplementary groups are given up with root. Raises PrivilegeError."""
    if gid is not None and gid != os.getgid():
        try:
            if os.geteuid() == 0:
                os.setgroups([])
            os.setgid(gid)
        except OSError as error:
            raise PrivilegeError(f"Cannot set gid {gid}.") from error
    if uid is not None and uid != os.getuid():
        try:
            os.setuid(uid)
        except OSError as error:
            raise PrivilegeError(f"Cannot set uid {uid}.") from error
