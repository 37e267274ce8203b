"""Small classic BPF programs on listening sockets: one that lets no new connection in, one that steers by CPU.

Theory. A filter on a listening TCP socket sees each segment that is for it, from the TCP header on. Dropping SYN
without ACK leaves the handshakes that have begun and the queue alone; a client whose SYN is dropped sends it again a
second later. Connections inherit the filter, where it does no harm: no segment of theirs is a bare SYN.

A program on a set of SO_REUSEPORT sockets returns the index of the socket that gets the connection. Indexes count in
the order in which the sockets began to listen; closing one moves the last into its place, so none is ever closed. An
index that is not there means that the kernel hashes as if there were no program.

Owns: the programs. Must not know: who listens.
"""

from __future__ import annotations

import ctypes
import socket
import struct
from collections.abc import Mapping, Sequence

_SO_ATTACH_FILTER = 26
_SO_ATTACH_REUSEPORT_CBPF = 51
# linux/filter.h, linux/bpf_common.h
_LOAD_BYTE = 0x30
_LOAD_WORD = 0x20
_AND = 0x54
_MODULO = 0x94
_JUMP_IF_EQUAL = 0x15
_RETURN = 0x06
_CPU = 0xFFFFF000 + 36
"""SKF_AD_OFF + SKF_AD_CPU: the CPU that runs the program."""
_RANDOM = 0xFFFFF000 + 56
"""SKF_AD_OFF + SKF_AD_RANDOM."""
_MOST = 100
"""Sockets that one CPU can have (a jump is one of 255 instructions at most); with more its connections are hashed."""
_FLAGS = 13
"""Where the flags stand in a TCP header (RFC 9293, 3.1)."""
_SYN, _ACK = 0x02, 0x10
_WHOLE = 0xFFFFFFFF
"""As a filter's result: the whole packet; as an index: none."""

Instruction = tuple[int, int, int, int]
"""Code, instructions to skip when true, when false, operand."""

_NO_SYN: tuple[Instruction, ...] = (
    (_LOAD_BYTE, 0, 0, _FLAGS),
    (_AND, 0, 0, _SYN | _ACK),
    (_JUMP_IF_EQUAL, 0, 1, _SYN),
    (_RETURN, 0, 0, 0),
    (_RETURN, 0, 0, _WHOLE),
)


def drop_new_connections(sock: socket.socket) -> None:
    """From now on no handshake begins at this listening TCP socket. Raises OSError."""
    _attach(sock, _SO_ATTACH_FILTER, _NO_SYN)


def distribute_by_cpu(socks: Sequence[socket.socket], cpu_to_indexes: Mapping[int, Sequence[int]]) -> None:
    """Connections that arrive on a CPU go to the sockets with these indexes, to one of several by lot; those of other
    CPUs are hashed. `socks`: the sockets of one address, in the order in which they listen; an empty map ends the
    steering. Raises OSError."""
    program: list[Instruction] = [(_LOAD_WORD, 0, 0, _CPU)]
    for cpu, indexes in sorted(cpu_to_indexes.items()):
        if 0 < len(indexes) <= _MOST:
            choice = _choice(indexes)
            program += ((_JUMP_IF_EQUAL, 0, len(choice), cpu), *choice)
    program.append((_RETURN, 0, 0, _WHOLE))
    _attach(socks[0], _SO_ATTACH_REUSEPORT_CBPF, program)


def _choice(indexes: Sequence[int]) -> list[Instruction]:
    """Ends the program with one of them."""
    if len(indexes) == 1:
        return [(_RETURN, 0, 0, indexes[0])]
    program: list[Instruction] = [(_LOAD_WORD, 0, 0, _RANDOM), (_MODULO, 0, 0, len(indexes))]
    for lot, index in enumerate(indexes[:-1]):
        program += ((_JUMP_IF_EQUAL, 0, 1, lot), (_RETURN, 0, 0, index))
    return [*program, (_RETURN, 0, 0, indexes[-1])]


def _attach(sock: socket.socket, option: int, program: Sequence[Instruction]) -> None:
    """struct sock_fprog: a count and a pointer; the kernel copies what it points to."""
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *instruction) for instruction in program))
    sock.setsockopt(socket.SOL_SOCKET, option, struct.pack("@HP", len(program), ctypes.addressof(code)))
