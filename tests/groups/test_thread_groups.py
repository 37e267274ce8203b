"""The checklist of thread groups (TG1-TG15), row by row: where each is held, and the rows about numbers and CPUs."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maniple.core.config.thread_groups import group_sizes
from maniple.core.config.threads import expand, parse_threads, resolve_threads
from maniple.groups.placement import Placement, place_groups
from maniple.groups.placement_words import PlacementWords
from maniple.groups.topology import Cpu, Topology, format_cpus
from maniple.tests.groups.machines import machine
from maniple.tests.groups.proxies import Proxy, echoed, tell, until

HERE = "groups/test_thread_groups.py"
HELD: dict[str, tuple[str, ...]] = {
    "TG2": (f"{HERE}::test_limits", f"{HERE}::test_beyond_the_limits"),
    "TG4": (f"{HERE}::test_binding_without_words", f"{HERE}::test_only_inherited_cpus"),
    "TG6": (f"{HERE}::test_syntax", f"{HERE}::test_rejected", "core/config/test_threads.py::test_resolve"),
    "TG7": (
        f"{HERE}::test_division",
        f"{HERE}::test_maps_are_inverse",
        "core/config/test_thread_groups.py::test_sizes",
    ),
    "TG8": (f"{HERE}::test_group_and_mask",),
    "TG1": (
        "pools/test_columns.py::test_columns_lie_on_their_own_cache_lines",
        "pools/test_pulses.py::test_sizes",
        f"{HERE}::test_no_socket_is_shared_over_groups",
    ),
    "TG3": (f"{HERE}::test_no_socket_is_shared_over_groups",),
    "TG5": ("groups/test_listening.py::test_each_thread_has_a_socket_and_all_share_the_port",),
    # Work is bound to its thread, or asked of all; a group shares no run queue with another.
    "TG9": (f"{HERE}::test_a_change_is_done_when_every_thread_has_done_it",),
    # Idle connections never change hands (TG3); what does is a client, to one taker.
    "TG10": (
        "core/relay/test_handing.py::test_those_that_were_taken_are_counted_once",
        "core/relay/test_handing.py::test_a_client_that_left_on_the_way",
    ),
    "TG11": (f"{HERE}::test_a_change_is_done_when_every_thread_has_done_it",),
    "TG13": (
        f"{HERE}::test_every_thread_has_figures_of_its_own",
        "groups/test_figures.py::test_figures_are_sums_over_threads_and_visible_to_whoever_attaches",
    ),
    "TG14": (f"{HERE}::test_groups_follow_the_machine", "wire/test_reload.py::test_scaling_up_and_down"),
    "TG15": (f"{HERE}::test_the_watchdog_names_group_and_thread",),
    "TG12": ("groups/test_placement.py::test_every_thread_has_cpus_inside_the_mask_and_both_numbers_agree",),
}
"""Row -> the tests that hold it, relative to tests/. Add yours where you hold one."""


def test_every_row_is_held() -> None:
    assert set(HELD) == {f"TG{number}" for number in range(1, 16)}


@pytest.mark.parametrize(("row", "name"), [(row, name) for row, names in HELD.items() for name in names])
def test_the_named_tests_exist(row: str, name: str) -> None:
    file, _, function = name.partition("::")
    text = (Path(__file__).parents[1] / file).read_text()
    assert f"def {function}(" in text, row


# TG2: more than 64 threads, 16 groups and more, 64 in a group


@pytest.mark.parametrize(
    ("groups", "threads", "sizes"),
    [(16, 256, (16,) * 16), (2, 65, (33, 32)), (2, 128, (64, 64)), (256, 256, (1,) * 256), (None, 100, (1,) * 100)],
)
def test_limits(groups: int | None, threads: int, sizes: tuple[int, ...]) -> None:
    topology = Topology(tuple(Cpu(number, core=number) for number in range(4)))
    words = PlacementWords(nbgroup=groups, nbthread=threads)
    assert place_groups(topology, range(4), words).sizes == sizes


@pytest.mark.parametrize(("groups", "threads"), [(1, 65), (3, 200), (257, 257), (16, 257)])
def test_beyond_the_limits(groups: int, threads: int) -> None:
    with pytest.raises(ValueError, match="the most"):
        group_sizes(groups, threads)


# TG4: CPUs without any word, always out of the inherited mask


def cpus_of(placement: Placement) -> list[str]:
    return [format_cpus(place.cpus) for place in placement.groups]


@pytest.mark.parametrize(
    ("name", "gil", "cpus"),
    [
        ("two_epycs", True, [str(n) for n in range(16) if n != 3]),
        ("four_ccx", True, [f"{n},{n + 16}" for n in range(16)]),
        ("two_epycs", False, ["0-2,4-7", "8-15"]),
        ("four_ccx", False, ["0-3,16-19", "4-7,20-23", "8-11,24-27", "12-15,28-31"]),
        ("xeon", False, ["0-39"]),
        ("board", False, ["0-3", "4-7"]),
        ("single", True, ["0"]),
        ("small_virtual", True, ["0", "1"]),
    ],
)
def test_binding_without_words(tmp_path: Path, name: str, gil: bool, cpus: list[str]) -> None:
    topology = machine(tmp_path, name)
    assert cpus_of(place_groups(topology, [cpu.number for cpu in topology.cpus], gil=gil)) == cpus


@pytest.mark.parametrize(
    "words",
    [
        PlacementWords(),
        PlacementWords(nbgroup=5),
        PlacementWords(cpu_policy=("group-by-socket",)),
        PlacementWords(cpu_set=(("reset",),)),
        PlacementWords(cpu_map=(("1", "0-15"),)),
    ],
)
def test_only_inherited_cpus(tmp_path: Path, words: PlacementWords) -> None:
    topology = machine(tmp_path, "two_epycs")
    used = {cpu for place in place_groups(topology, (5, 6, 9), words).groups for cpu in place.cpus}
    assert used == {5, 6, 9}


# TG6: the syntax of `thread`, with two groups of 45 threads

TWO = (45, 45)


@pytest.mark.parametrize(
    ("text", "first", "count"),
    [
        ("45", (1, 45), 1),
        ("65", (2, 20), 1),
        ("1/45", (1, 45), 1),
        ("all/45", (1, 45), 2),
        ("1/all", (1, 1), 45),
        ("all", (1, 1), 90),
        ("all/all", (1, 1), 90),
        ("odd", (1, 1), 45),
        ("2/even", (2, 2), 22),
        ("35-45", (1, 35), 11),
        ("46-50,1", (1, 1), 6),
        ("1/2-3,2/1", (1, 2), 3),
    ],
)
def test_syntax(text: str, first: tuple[int, int], count: int) -> None:
    pairs, notice = resolve_threads(parse_threads(text), TWO, True)
    assert (pairs[0], len(pairs), notice) == (first, count, None)


@pytest.mark.parametrize("text", ["1/65", "35-46", "91", "3/1", "1/1,2", "2,1/1", "1/46", "0", "257", "1/0", "all/46"])
def test_rejected(text: str) -> None:
    with pytest.raises(ValueError):
        resolve_threads(parse_threads(text), TWO, True)


# TG7: nbthread is the total; maps both ways


def test_division() -> None:
    assert group_sizes(4, 28) == (7, 7, 7, 7)


@given(st.integers(1, 64), st.integers(0, 192))
def test_maps_are_inverse(groups: int, more: int) -> None:
    more = min(more, 63 * groups)
    topology = Topology((Cpu(0), Cpu(1, core=1)))
    placement = place_groups(topology, (0, 1), PlacementWords(nbgroup=groups, nbthread=groups + more))
    numbers = [
        placement.thread_number(group, local)
        for group, size in enumerate(placement.sizes, 1)
        for local in range(1, size + 1)
    ]
    assert numbers == list(range(1, groups + more + 1))
    assert [placement.thread_number(*placement.local_number(number)) for number in numbers] == numbers


# TG8: group and mask; groups count from 1


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("all", "1/1 1/2 2/1 2/2"),  # 0,0: any
        ("2,3", "1/2 2/1"),  # 0,x: numbers of the whole
        ("2/all", "2/1 2/2"),  # G,0: all of G
        ("2/2", "2/2"),  # G,x: these of G
    ],
)
def test_group_and_mask(text: str, meaning: str) -> None:
    assert " ".join(f"{group}/{local}" for group, local in expand(parse_threads(text), (2, 2))) == meaning
    with pytest.raises(ValueError):
        parse_threads("0/1")


# TG3, TG5: a bind line becomes a socket for each thread, and no group holds another's


def listening_inodes(pid: int) -> set[str]:
    """Listening TCP sockets of a process."""
    tables = "".join(Path(f"/proc/{pid}/net/{name}").read_text() for name in ("tcp", "tcp6"))
    listening = {line.split()[9] for line in tables.splitlines() if len(line.split()) > 9 and line.split()[3] == "0A"}
    found = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.add(str(entry.readlink()).removeprefix("socket:[").rstrip("]"))
    return found & listening


def test_no_socket_is_shared_over_groups(start_proxy: Callable[..., Proxy]) -> None:
    proxy = start_proxy(globals={"nbgroup": 3, "nbthread": 6})
    sockets = [listening_inodes(pid) for pid in proxy.groups()]
    assert [len(one) for one in sockets] == [2, 2, 2]
    assert len(set.union(*sockets)) == 6
    assert listening_inodes(proxy.pid) >= set.union(*sockets)


# TG11, TG13, TG15: what all threads must do is known to be done, each has its figures, complaints name both numbers


def test_a_change_is_done_when_every_thread_has_done_it(start_proxy: Callable[..., Proxy]) -> None:
    proxy = start_proxy(globals={"nbgroup": 2, "nbthread": 4}, servers=["a"])
    clients = [proxy.connect_to(place) for place in ("1/1", "1/2", "2/1", "2/2")]
    assert proxy.ask("set server app/a weight 5") == (True, "")
    assert [tell(client)["servers"] for client in clients] == [{"app/a": [None, "5"]}] * 4


def test_every_thread_has_figures_of_its_own(start_proxy: Callable[..., Proxy]) -> None:
    proxy = start_proxy(globals={"nbgroup": 2, "nbthread": 4})
    threads = [
        (group["number"], thread["local"], thread["number"])
        for group in proxy.status()["groups"]
        for thread in group["threads"]
    ]
    assert threads == [(1, 1, 1), (1, 2, 2), (2, 1, 3), (2, 2, 4)]


def test_the_watchdog_names_group_and_thread(start_proxy: Callable[..., Proxy]) -> None:
    proxy = start_proxy(globals={"nbgroup": 2, "nbthread": 4}, tune={"watchdog_warn": 300, "watchdog_kill": 0})
    proxy.connect_to("2/2").sendall(b"hang\n")
    until(lambda: "thread 2/2 of group 2" in proxy.stderr, "the warning")


# TG14: threads come and go while the others serve; the number of CPUs may change under us


def test_groups_follow_the_machine(start_proxy: Callable[..., Proxy]) -> None:
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2:
        pytest.skip("this machine lets us use one CPU only")
    proxy = start_proxy()
    assert len(proxy.wait_groups(min(len(cpus), 256))) == len(cpus)
    held, _, _ = proxy.connect()

    def ready() -> list[dict[str, Any]]:
        """Without those that leave: one of them may have the client."""
        return [group for group in proxy.status()["groups"] if group["state"] == "ready"]

    os.sched_setaffinity(proxy.pid, cpus[:1])
    until(lambda: len(ready()) == 1, "one group")
    assert echoed(held)
    (place,) = [group["cpus"] for group in ready()]
    assert place == [cpus[0]]
    os.sched_setaffinity(proxy.pid, cpus)
    until(lambda: len(ready()) == len(cpus), "a group a CPU")
    assert echoed(held)
