from __future__ import annotations

import pytest
from maniple.groups.changes import Changes


def test_one_change_at_a_time() -> None:
    changes = Changes()
    assert not changes.busy
    changes.begin("reload")
    assert changes.busy
    with pytest.raises(RuntimeError, match="scale during reload"):
        changes.begin("scale")
    assert changes.end("") >= 0
    assert not changes.busy


def test_reloads_are_counted_and_failed_ones_since_the_last_that_succeeded() -> None:
    changes = Changes()
    counted = []
    for kind, error in [
        ("reload", ""),
        ("reload", "no"),
        ("scale", "no"),
        ("reload", "no"),
        ("upgrade", ""),
        ("reload", ""),
    ]:
        changes.begin(kind)
        changes.end(error)
        counted.append((changes.reloads, changes.failed_reloads))
    assert counted == [(1, 0), (1, 1), (1, 1), (1, 2), (1, 2), (2, 0)]


def test_the_last_change_is_remembered() -> None:
    changes = Changes()
    assert changes.last is None
    changes.begin("scale")
    changes.end("", "3 groups")
    last = changes.last
    assert last is not None
    assert (last.kind, last.ok, last.text) == ("scale", True, "3 groups")
    changes.begin("reload")
    changes.end("file:1: error")
    last = changes.last
    assert last is not None
    assert (last.kind, last.ok, last.text) == ("reload", False, "file:1: error")


def test_a_change_that_began_in_another_program_took_the_whole_time() -> None:
    changes = Changes()
    changes.begin("upgrade", 0.0)
    assert changes.end("") > 0
    assert changes.last is not None and changes.last.seconds > 0


def test_what_was_put_off_begins_once() -> None:
    changes = Changes()
    called = []
    changes.begin("reload")
    changes.put_off(lambda: called.append("first"))
    changes.put_off(lambda: called.append("second"))
    changes.end("")
    assert called == []
    changes.go_on()
    changes.go_on()
    assert called == ["second"]
