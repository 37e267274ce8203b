"""What is taken from the system, and given up: descriptors for maxconn; the user and directory that groups live in.

Owns: the system calls and HAProxy's words when they fail. Must not know: groups. The supervisor stays who it is, so
that a reload can bind port 80 again (as HAProxy's master does); each group takes `user`, `group` and `chroot` on
itself, for good, once its runtimes are built and before it accepts.
"""

from __future__ import annotations

import codecs
import grp
import os
import pwd
import resource
import time
from dataclasses import dataclass

from ..core.config.model import Configuration, GlobalSpec
from ..core.errors import ManipleError

DESCRIPTORS_WITHOUT_MAXCONN = 1048576
"""Upper bound of what is taken when no maxconn is written (manual 3.1 `fd-hard-limit`)."""
_CAP_SYS_CHROOT = 18
_SPARE = 64
"""Descriptors of the interpreter, the event loop, logs and channels."""


class PrivilegeError(ManipleError):
    """The system refuses what the configuration needs."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a group is, and where. None: as its parent."""

    uid: int | None = None
    gid: int | None = None
    chroot: str | None = None

    def __bool__(self) -> bool:
        """There is something to change."""
        return any(part is not None for part in (self.uid, self.gid, self.chroot))

    def enter(self) -> None:
        """Raises PrivilegeError."""
        enter(self.uid, self.gid, self.chroot)


def wanted_identity(spec: GlobalSpec) -> Identity:
    """What the global section asks for. To be called before the first fork: names are looked up while there is an
    /etc/passwd. Raises PrivilegeError where it cannot be done, so that a start or a reload fails before anything else
    has happened."""
    if spec.chroot is not None:
        _check_chroot(spec.chroot)
    return Identity(*wanted_user(spec), spec.chroot)


def _check_chroot(path: str) -> None:
    if not os.path.isdir(path):
        reason = "Not a directory" if os.path.exists(path) else "No such file or directory"
        raise PrivilegeError(f"Cannot chroot({path}) ({reason}).")
    with open("/proc/self/status", "rb") as status:
        for line in status:
            if line.startswith(b"CapEff:") and not int(line.split()[1], 16) >> _CAP_SYS_CHROOT & 1:
                raise PrivilegeError(f"Cannot chroot({path}): it must be started as root for that.")


def enter(uid: int | None, gid: int | None, chroot: str | None) -> None:
    """Locks this process into the directory, then becomes that group and user: in that order, since only root may do
    the first. Raises PrivilegeError; the process is then good for nothing but to end.

    What needs files must have been done (log pipes reopened, runtimes built): there is no more /etc and, in a chroot,
    no /proc; what root may open, the user may not. Without chroot memfds can still be reopened through /proc/self/fd:
    the kernel lets a process have its own, whether it is "dumpable" or not (tried), so PR_SET_DUMPABLE stays cleared
    and others of that user cannot read our memory. The kernel forgets the signal of the parent's death
    (PR_SET_PDEATHSIG) with every change of credentials: the caller sets it again."""
    # What Python and the C library load when it is first needed: out of reach afterwards.
    for encoding in ("ascii", "idna", "latin-1"):
        codecs.lookup(encoding)
    time.localtime()
    if chroot is not None:
        try:
            os.chroot(chroot)
            os.chdir("/")
        except OSError as error:
            raise PrivilegeError(f"Cannot chroot({chroot}) ({error.strerror}).") from error
    drop_privileges(uid, gid)


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


def make_room(more: int) -> None:
    """Raises RLIMIT_NOFILE so that `more` descriptors can be opened beside those that are open, as far as this user
    may; where that does not suffice, opening them fails with a reason of its own."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = len(os.listdir("/proc/self/fd")) + more + _SPARE
    if soft == resource.RLIM_INFINITY or needed <= soft:
        return
    for limits in ((needed, hard if hard == resource.RLIM_INFINITY else max(hard, needed)), (hard, hard)):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
            return
        except (ValueError, OSError):
            continue


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
