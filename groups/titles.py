"""What `ps` and `top` show of a process: "maniple: group 2 (draining)".

Must not know: what states there are. Measured: setproctitle brings 1 ms of import (it wants `logging`, which asyncio
has loaded already), and 18 us for the first title; a title is 2 us.
"""

from __future__ import annotations

from setproctitle import setproctitle


def set_title(text: str) -> None:
    """The whole title is "maniple: " and the text. The name of the process in the kernel (15 bytes, /proc/PID/comm) is
    its beginning."""
    setproctitle(f"maniple: {text}")


def supervisor_title(files: tuple[str, ...], state: str = "") -> str:
    """ "supervisor [a.cfg b.cfg]", and the state where it is worth a word."""
    shown = f" [{' '.join(files)}]" if files else ""
    return f"supervisor{shown}{f' ({state})' if state else ''}"


def group_title(number: int, state: str = "") -> str:
    """ "group 2 (draining)"."""
    return f"group {number}{f' ({state})' if state else ''}"
