from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from maniple.core.config.model import Address, Configuration, GlobalSpec, Place, ProxySpec, ServerSpec
from maniple.groups.privileges import (
    Identity,
    PrivilegeError,
    drop_privileges,
    enter,
    make_room,
    needed_descriptors,
    raise_descriptor_limit,
    wanted_identity,
    wanted_user,
)

SERVER = ServerSpec(Place("test.cfg", 1), "a", Address("inet", "127.0.0.1", 80, 80))
NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


def in_child(check: Callable[[], bool]) -> bool:
    """Limits and users are a process's: tried in one of its own."""
    pid = os.fork()
    if not pid:
        try:
            os._exit(0 if check() else 1)
        except BaseException:
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_what_maxconn_needs() -> None:
    proxies = (ProxySpec(Place("test.cfg", 1), "app", "backend", servers=(SERVER,)),)
    assert needed_descriptors(Configuration(GlobalSpec(), proxies), 4) == 0
    assert needed_descriptors(Configuration(GlobalSpec(ulimit_n=777, maxconn=9), proxies), 4) == 777
    assert needed_descriptors(Configuration(GlobalSpec(maxconn=1000), proxies), 4) == 2000 + 8 + 1 + 64


def test_the_limit_is_raised() -> None:
    def check() -> bool:
        resource.setrlimit(resource.RLIMIT_NOFILE, (100, 2000))
        return raise_descriptor_limit(500) == 500 == resource.getrlimit(resource.RLIMIT_NOFILE)[0]

    assert in_child(check)


def test_a_limit_that_suffices_stays() -> None:
    def check() -> bool:
        resource.setrlimit(resource.RLIMIT_NOFILE, (1000, 2000))
        return raise_descriptor_limit(500) == 1000

    assert in_child(check)


def test_room_is_made_for_sockets_as_far_as_it_goes() -> None:
    """300 ports for 8 threads do not fit into the 1024 descriptors that a process mostly has at first."""

    def check() -> bool:
        os.closerange(3, 4096)  # however many the tests before have left open
        resource.setrlimit(resource.RLIMIT_NOFILE, (100, 3000))
        make_room(10)
        few = resource.getrlimit(resource.RLIMIT_NOFILE)
        make_room(2400)
        many = resource.getrlimit(resource.RLIMIT_NOFILE)
        drop_privileges(NOBODY if os.getuid() == 0 else None, None)
        make_room(10_000)
        return (
            few == (100, 3000)
            and 2400 < many[0] < 3000 == many[1]
            and resource.getrlimit(resource.RLIMIT_NOFILE) == (3000, 3000)
        )

    assert in_child(check)


def test_without_maxconn_all_there_is_is_taken() -> None:
    def check() -> bool:
        resource.setrlimit(resource.RLIMIT_NOFILE, (100, 2000))
        return raise_descriptor_limit(0) == 2000

    assert in_child(check)


def test_a_limit_that_cannot_be_raised_is_an_error() -> None:
    def check() -> bool:
        resource.setrlimit(resource.RLIMIT_NOFILE, (100, 200))
        drop_privileges(NOBODY if os.getuid() == 0 else None, None)
        try:
            raise_descriptor_limit(500)
        except PrivilegeError as error:
            return str(error) == "Cannot raise FD limit to 500, limit is 200."
        return False

    assert in_child(check)


@as_root
def test_root_becomes_somebody_else_for_good() -> None:
    def check() -> bool:
        drop_privileges(NOBODY, NOBODY)
        try:
            os.setuid(0)
        except PermissionError:
            return (os.getuid(), os.getgid(), os.getgroups()) == (NOBODY, NOBODY, [])
        return False

    assert in_child(check)


@as_root
@pytest.mark.parametrize(("uid", "gid", "text"), [(0, None, "Cannot set uid 0."), (None, 0, "Cannot set gid 0.")])
def test_others_cannot_become_root(uid: int | None, gid: int | None, text: str) -> None:
    def check() -> bool:
        drop_privileges(NOBODY, NOBODY)
        try:
            drop_privileges(uid, gid)
        except PrivilegeError as error:
            return str(error) == text
        return False

    assert in_child(check)


def test_users_and_groups_by_name_and_number() -> None:
    assert wanted_user(GlobalSpec()) == (None, None)
    assert wanted_user(GlobalSpec(uid=5, gid=6)) == (5, 6)
    assert wanted_user(GlobalSpec(user="root", group="root")) == (0, 0)
    with pytest.raises(PrivilegeError, match="cannot find user id for 'no-such-user'"):
        wanted_user(GlobalSpec(user="no-such-user"))
    with pytest.raises(PrivilegeError, match="cannot find group id for 'no-such-group'"):
        wanted_user(GlobalSpec(group="no-such-group"))


@as_root
def test_a_group_is_locked_in_and_becomes_nobody(tmp_path: Path) -> None:
    (tmp_path / "inside").touch()
    tmp_path.chmod(0o755)
    local = time.localtime(0)

    def check() -> bool:
        identity = wanted_identity(GlobalSpec(user="nobody", gid=NOBODY, chroot=str(tmp_path)))
        identity.enter()
        try:
            os.setuid(0)
        except PermissionError:
            return (
                os.listdir("/") == ["inside"] == os.listdir(".")
                and os.getresuid() == (NOBODY, NOBODY, NOBODY)
                and os.getresgid() == (NOBODY, NOBODY, NOBODY)
                and os.getgroups() == []
                and time.localtime(0) == local
                and "x".encode("idna") == b"x"
            )
        return False

    assert in_child(check)


@as_root
def test_memfds_can_still_be_reopened() -> None:
    """Locks of threads need an open file of their own."""

    def check() -> bool:
        memory = os.memfd_create("x")
        enter(NOBODY, NOBODY, None)
        os.close(os.open(f"/proc/self/fd/{memory}", os.O_RDWR))
        return True

    assert in_child(check)


def test_chroot_that_cannot_be_is_found_before_the_start(tmp_path: Path) -> None:
    with pytest.raises(PrivilegeError, match=r"Cannot chroot\(/none/such\) \(No such file or directory\)"):
        wanted_identity(GlobalSpec(chroot="/none/such"))
    (tmp_path / "file").touch()
    with pytest.raises(PrivilegeError, match="Not a directory"):
        wanted_identity(GlobalSpec(chroot=str(tmp_path / "file")))

    def check() -> bool:
        if os.geteuid() == 0:
            drop_privileges(NOBODY, NOBODY)
        try:
            wanted_identity(GlobalSpec(chroot="/"))
        except PrivilegeError as error:
            return "started as root" in str(error)
        return False

    assert in_child(check)


def test_chroot_that_is_gone_meanwhile_is_an_error() -> None:
    with pytest.raises(PrivilegeError, match="Cannot chroot"):
        enter(None, None, "/none/such")


def test_identity_of_a_plain_configuration_changes_nothing() -> None:
    identity = wanted_identity(GlobalSpec())
    assert identity == Identity() and not identity and Identity(uid=0)
    identity.enter()
