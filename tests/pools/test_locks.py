from __future__ import annotations

import os
import signal

from maniple.pools.locks import ByteLocks, NoLocks
from maniple.pools.segment import Segment


def test_excludes_others_on_the_same_byte_only_and_frees() -> None:
    segment = Segment.create("locks", 100)
    mine, other = ByteLocks(segment.fd, 3), ByteLocks(segment.fd, 3)
    mine.take(1)
    assert not other.try_take(1)
    assert other.try_take(2)
    assert not mine.try_take(2)
    mine.free(1)
    assert other.try_take(1)
    other.close()
    other.close()
    assert mine.try_take(1) and mine.try_take(2)
    mine.close()
    segment.close()


def test_a_killed_holder_frees() -> None:
    segment = Segment.create("locks", 100)
    ready, told = os.pipe()
    pid = os.fork()
    if not pid:
        ByteLocks(segment.fd, 1).take(0)
        os.write(told, b"x")
        signal.pause()
        os._exit(1)
    os.read(ready, 1)
    mine = ByteLocks(segment.fd, 1)
    assert not mine.try_take(0)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    mine.take(0)
    mine.close()
    segment.close()
    os.close(ready)
    os.close(told)


def test_who_is_alone_needs_none() -> None:
    locks = NoLocks()
    locks.take(0)
    assert locks.try_take(0)
    locks.free(0)
    locks.close()
