"""Converters of integers: arithmetic, bits, and whether one is odd, even, or anything (manual 7.3.1).

Owns: these. Must not know: where the numbers come from. Invariants: values stay in 64 bits signed; what would leave
them becomes the nearest number that does not, division and remainder are those of C (towards zero), and division by
zero gives the largest number, remainder by zero 0 (manual; measured against HAProxy 2.6 and 3.0).
"""

from __future__ import annotations

from collections.abc import Callable

from .catalogue import Call, Convert, Scoped, converter, plain_converter
from .operands import read_number
from .samples import BOOL, INT, INT_MAX, INT_MIN


def add(value: int, other: int) -> int:
    """The sum."""
    result = value + other
    if INT_MIN <= result <= INT_MAX:
        return result
    return INT_MAX if result > 0 else INT_MIN


def subtract(value: int, other: int) -> int:
    """The difference."""
    return add(value, -other)


def multiply(value: int, other: int) -> int:
    """The product."""
    result = value * other
    if INT_MIN <= result <= INT_MAX:
        return result
    return INT_MAX if result > 0 else INT_MIN


def divide(value: int, other: int) -> int:
    """The quotient, cut towards zero."""
    if not other:
        return INT_MAX
    result = abs(value) // abs(other)
    if (value < 0) is not (other < 0):
        return -result
    return result if result <= INT_MAX else INT_MAX


def remain(value: int, other: int) -> int:
    """The remainder, which has the sign of `value`."""
    if not other:
        return 0
    result = abs(value) % abs(other)
    return -result if value < 0 else result


def _with_number(call: Call, operate: Callable[[int, int], int]) -> Convert | Scoped:
    operand = read_number(call, 0)
    if isinstance(operand, int):
        return lambda value: operate(value, operand)

    def run(x: object, value: int) -> int | None:
        other = operand(x)
        return None if other is None else operate(value, other)

    return Scoped(run)


def _commutative(call: Call, operate: Callable[[int, int], int], name: str) -> Convert | Scoped:
    """Bits never leave 64, so the number's own method is the whole converter."""
    operand = read_number(call, 0)
    if isinstance(operand, int):
        method: Convert = getattr(operand, name)
        return method
    return _with_number(call, operate)


_NUMBER = "value:string?"


@converter("add", INT, INT, "The sum with a number or variable", arguments=_NUMBER)
def _add(call: Call) -> Convert | Scoped:
    return _with_number(call, add)


@converter("sub", INT, INT, "The difference to a number or variable", arguments=_NUMBER)
def _sub(call: Call) -> Convert | Scoped:
    return _with_number(call, subtract)


@converter("mul", INT, INT, "The product with a number or variable", arguments=_NUMBER)
def _mul(call: Call) -> Convert | Scoped:
    return _with_number(call, multiply)


@converter("div", INT, INT, "The quotient by a number or variable; the largest number for 0", arguments=_NUMBER)
def _div(call: Call) -> Convert | Scoped:
    return _with_number(call, divide)


@converter("mod", INT, INT, "The remainder of the division by a number or variable; 0 for 0", arguments=_NUMBER)
def _mod(call: Call) -> Convert | Scoped:
    return _with_number(call, remain)


@converter("and", INT, INT, "The bits that it has in common with a number or variable", arguments=_NUMBER)
def _and(call: Call) -> Convert | Scoped:
    return _commutative(call, int.__and__, "__and__")


@converter("or", INT, INT, "Its bits and those of a number or variable", arguments=_NUMBER)
def _or(call: Call) -> Convert | Scoped:
    return _commutative(call, int.__or__, "__or__")


@converter("xor", INT, INT, "The bits that are either its own or those of a number or variable", arguments=_NUMBER)
def _xor(call: Call) -> Convert | Scoped:
    return _commutative(call, int.__xor__, "__xor__")


@plain_converter("neg", INT, INT, "The opposite number")
def negate(value: int) -> int:
    return -value if value != INT_MIN else INT_MAX


@plain_converter("cpl", INT, INT, "All bits the other way round")
def complement(value: int) -> int:
    return ~value


@plain_converter("not", INT, BOOL, "Whether it is 0")
def is_zero(value: int) -> bool:
    return not value


plain_converter("bool", INT, BOOL, "Whether it is not 0")(bool)


@plain_converter("odd", INT, BOOL, "Whether it is odd")
def is_odd(value: int) -> bool:
    return value & 1 == 1


@plain_converter("even", INT, BOOL, "Whether it is even")
def is_even(value: int) -> bool:
    return not value & 1
