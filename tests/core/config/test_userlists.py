"""Sections `userlist`: who is in which group, and what is wrong with a line."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from maniple.core import passwords

HASH = "$5$abcdefgh$ijtOJ//yvc/9bq1g0llFn9dB688BwBDRD90DlKKSKE1"
REST = "frontend f\n  bind :80\n  timeout client 1s\n"

Read = Callable[..., object]


def test_users_and_groups(read) -> None:  # type: ignore[no-untyped-def]
    found = read(
        "userlist u\n  group g1 users ann,,bob\n  group none\n"
        f"  user ann password {HASH} groups g2,g1 groups g3\n"
        "  user bob groups none insecure-password 'a b'\n"
        "  group g2\n  group g3\n  user cy insecure-password c\n" + REST
    )
    assert found.warnings == []
    userlist = found.good.userlists["u"]
    assert userlist.groups == ("g1", "none", "g2", "g3")
    users = [(user.name, user.password, user.hashed, user.groups) for user in userlist.users.values()]
    assert users == [
        ("ann", HASH, True, ("g2", "g1", "g3")),
        ("bob", "a b", False, ("none", "g1")),
        ("cy", "c", False, ()),
    ]


def test_doubles_are_ignored_with_a_warning(read) -> None:  # type: ignore[no-untyped-def]
    found = read(
        "userlist u\n  group g users a\n  group g\n  user a insecure-password 1\n  user a insecure-password 2\n" + REST
    )
    assert found.warnings == [
        "3:9 group 'g' is there already: this line is ignored",
        "5:8 user 'a' is there already: this line is ignored",
    ]
    assert found.good.userlists["u"].users["a"].password == "1"
    assert found.good.userlists["u"].users["a"].groups == ("g",)


def test_who_is_never_let_in(read) -> None:  # type: ignore[no-untyped-def]
    found = read("userlist u\n  user a\n  user b password $9$x$\n" + REST)
    assert found.warnings == [
        "2:8 user 'a' has no password: nobody is let in by that name",
        "3:19 `user`: crypt(3) of this system does not know such a hash: nobody is let in by it",
    ]
    assert found.good.userlists["u"].users["a"].password is None


@pytest.mark.parametrize(
    ("lines", "errors"),
    [
        ("userlist\n", ["1:1 `userlist` expects <name>"]),
        ("userlist a b\n", ["1:12 `userlist` cannot take the extra argument 'b'"]),
        ("userlist a/b\n  user\n", ["1:10 character '/' is not permitted in the userlist name 'a/b'"]),
        ("userlist a\n  user\n  group\n", ["2:3 `user` expects", "3:3 `group` expects"]),
        ("userlist a\n  user x insecure-password\n", ["2:10 `user ... insecure-password` expects a value"]),
        ("userlist a\n  user x groups\n", ["2:10 `user ... groups` expects a value"]),
        ("userlist a\n  user x pasword y\n", ["2:10 `user` cannot take 'pasword'"]),
        ("userlist a\n  user x password 1 insecure-password 2\n", ["2:21 `user`: there is a password already"]),
        ("userlist a\n  group g user x\n", ["2:11 `group` cannot take 'user'"]),
        ("userlist a\n  group g users x users y\n", ["2:19 `group`: `users` stands here twice"]),
        ("userlist a\n  group g users x,y\n  user x insecure-password 1\n", ["2:19 userlist 'a' has no user 'y'"]),
        (
            "userlist a\n  user x insecure-password 1 groups 'g1,g'\n  group g\n",
            ["2:38 userlist 'a' has no group 'g1'"],
        ),
        ("userlist a\nuserlist a\n", ["2:10 userlist 'a' is there already, in line 1"]),
        ("userlist a\n  mode http\n", ["2:3 unknown keyword 'mode' in a userlist section"]),
        ("userlist a\n  no user x\n", ["2:6 `no` cannot stand before `user`"]),
    ],
)
def test_mistakes(read, lines: str, errors: list[str]) -> None:  # type: ignore[no-untyped-def]
    found = read(lines + REST).errors
    assert len(found) == len(errors)
    for error, expected in zip(found, errors, strict=True):
        assert error.startswith(expected)


def test_hint(read) -> None:  # type: ignore[no-untyped-def]
    found = read("userlist a\n  user x insecure-password 1 groups admn\n  group admin\n" + REST)
    (report,) = found.diagnostics.errors
    assert report.hint == "did you mean `admin`?"


def test_without_libcrypt(read, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    def missing() -> None:
        raise passwords.NoCryptError("this system has no libcrypt")

    monkeypatch.setattr(passwords, "_library", missing)
    text = "userlist a\n  user x insecure-password 1\n" + REST
    assert read(text).errors == []
    assert read(f"userlist a\n  user x password {HASH}\n" + REST).errors == [
        "2:19 `user ... password`: this system has no libcrypt"
    ]
