from __future__ import annotations

import os
from pathlib import Path

from maniple.groups.titles import group_title, set_title, supervisor_title


def test_title_is_seen_from_outside() -> None:
    """In a process of its own: the title of pytest stays."""
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        set_title(group_title(2, "draining"))
        os.write(writer, Path("/proc/self/cmdline").read_bytes().rstrip(b"\0") + b"|")
        os.write(writer, Path("/proc/self/comm").read_bytes())
        os._exit(0)
    os.close(writer)
    os.waitpid(pid, 0)
    line, name = os.read(reader, 1000).split(b"|")
    os.close(reader)
    assert line == b"maniple: group 2 (draining)"
    assert name == b"maniple: group \n"[: len(name) - 1] + b"\n"


def test_texts() -> None:
    assert supervisor_title(("a.cfg", "b.cfg")) == "supervisor [a.cfg b.cfg]"
    assert supervisor_title((), "stopping") == "supervisor (stopping)"
    assert group_title(3) == "group 3"
