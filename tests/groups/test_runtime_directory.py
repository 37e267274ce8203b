from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from maniple.groups.runtime_directory import answers, folders, make_safe, own_path, supervisors

NOBODY = 65534


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "maniple"
    folder.mkdir(0o700)
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(folder / "77.sock"))
        sock.listen()
        yield folder


@pytest.mark.parametrize(
    ("variables", "uid", "expected"),
    [
        ({}, 0, ["/run/maniple"]),
        ({"XDG_RUNTIME_DIR": "/run/user/0"}, 0, ["/run/maniple"]),
        ({"RUNTIME_DIRECTORY": "/run/lb:/run/other"}, 0, ["/run/lb", "/run/maniple"]),
        ({}, 7, ["/tmp/maniple-7"]),
        ({"XDG_RUNTIME_DIR": "/run/user/7"}, 7, ["/run/user/7/maniple", "/tmp/maniple-7"]),
        ({"RUNTIME_DIRECTORY": "/run/maniple"}, 7, ["/run/maniple", "/tmp/maniple-7"]),
        ({"RUNTIME_DIRECTORY": "relative", "XDG_RUNTIME_DIR": ""}, 7, ["/tmp/maniple-7"]),
    ],
)
def test_folders(variables: dict[str, str], uid: int, expected: list[str]) -> None:
    assert folders(variables, uid) == expected


def test_folder_is_made_for_us_alone(tmp_path: Path) -> None:
    path, why = own_path([str(tmp_path / "x" / "y"), str(tmp_path / "maniple")], 5)
    assert (path, why) == (str(tmp_path / "maniple" / "5.sock"), "")
    assert os.stat(tmp_path / "maniple").st_mode & 0o777 == 0o700
    assert own_path([str(tmp_path / "maniple")])[0] == str(tmp_path / "maniple" / f"{os.getpid()}.sock")


def test_why_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    candidates = [str(tmp_path / "x" / "y"), str(tmp_path / "file"), str(tmp_path / "open")]
    path, why = own_path(candidates)
    assert path is None
    assert why == (
        f"no control socket of our own: {candidates[0]}: No such file or directory; "
        f"{candidates[1]}: is not a directory; "
        f"{candidates[2]}: others may write to it"
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_somebody_elses_folder_is_not_used(tmp_path: Path) -> None:
    os.chown(tmp_path, NOBODY, NOBODY)
    with pytest.raises(PermissionError, match=f"belongs to user {NOBODY}"):
        make_safe(str(tmp_path))
    assert supervisors([str(tmp_path)]) == {}


def test_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(0o700)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(NotADirectoryError):
        make_safe(str(tmp_path / "link"))


def test_stale_sockets_are_swept(listening: Path) -> None:
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(listening / "66.sock"))
    (listening / "notes").touch()
    own_path([str(listening)])
    assert sorted(os.listdir(listening)) == ["77.sock", "notes"]


def test_supervisors(listening: Path, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(listening / "66.sock"))
    (listening / "x.sock").touch()
    assert supervisors([str(tmp_path / "none"), str(listening)]) == {77: str(listening / "77.sock")}
    assert answers(str(listening / "77.sock")) and not answers(str(listening / "66.sock"))
    listening.chmod(0o777)
    assert supervisors([str(listening)]) == {}
