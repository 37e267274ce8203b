"""Variables and expressions of formats whose values are encoded (flags `+json`, `+cbor`): what the generator writes.

Owns: which value each kind of variable has, and the type that a field's name asks for (`%(name:sint)ci`). Must not
know: the notations (encodings.py), the generator.

A piece is the inside of an f-string, as those of format_pieces; the encoding stands in the function's scope under a
name of its own. A type only changes numbers (of variables) and values of expressions, as in HAProxy: an address stays
one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .catalogue import Needs, Stage
from .encodings import Encoding
from .expression import compile_expression
from .format_syntax import Field, Sample, Variable
from .samples import Type, find_cast
from .scope import Site

_TYPES = {"str": Type.STR, "sint": Type.INT, "bool": Type.BOOL, "raw": Type.BIN}


def variable_piece(kind: str, expression: str, part: Variable, field: Field, name: str) -> str:
    """The piece of a variable of that kind (format_variables.Entry); `name`: that of the encoding in the scope."""
    return f"{{{_value(kind, expression, part, field, name)}}}"


def _value(kind: str, expression: str, part: Variable, field: Field, name: str) -> str:
    if kind in ("number", "amount", "plus", "total", "retries"):
        return _number(expression, field, name)
    if kind in ("counter", "millis", "port"):
        shown = _number(expression, field, name)
        if part.hexadecimal:
            shown = f"{name}.text('{'%02X' if kind == 'millis' else '%04X'}' % {expression})"
        return f"({name}.missing if {expression} is None else {shown})" if kind == "port" else shown
    if kind == "date":
        return f"{name}.text(f'{expression}')"
    if kind == "state":
        return f"{name}.text({' + '.join([f'STATE[{letters}]' for letters in expression.split(' ')])})"
    if kind == "address" and part.hexadecimal:
        return f"{name}.text(hex_address({expression}))"
    if kind == "raw":
        return f"{name}.text(({expression}).decode('utf-8', 'surrogateescape'))"
    if kind in ("line", "bare"):
        return f"{name}.line(LINE[{expression}])"
    if kind == "braces":
        return f"({name}.braces(braces({expression}, False, escape_capture)) if {expression} else {name}.nothing)"
    if kind == "fields":
        items = f"[escape_capture(v) if v else {'' if part.quoted else '-'!r} for v in {expression}]"
        return f"({name}.items({items}) if {expression} else {name}.nothing)"
    return f"{name}.text({expression})"


def _number(expression: str, field: Field, name: str) -> str:
    method = {"str": "digits", "bool": "truth"}.get(field.kind, "number")
    return f"{name}.{method}({expression})"


def sample_piece(
    part: Sample, field: Field, encoding: Encoding, site: Site, stage: Stage
) -> tuple[Callable[[Any], str], Needs]:
    """The function that shows an expression's value. Raises ConfigError."""
    compiled = compile_expression(part.expression, site, stage)
    run = compiled.run
    kind = compiled.type
    if field.kind:
        wanted = _TYPES[field.kind]
        cast = find_cast(kind, wanted)
        if cast is None:
            return (lambda x: encoding.missing), compiled.needs
        run, kind = compile_expression(part.expression, site, stage, wanted).run, wanted
    if field.kind == "raw":
        return (lambda x: (run(x) or b"").decode("utf-8", "surrogateescape")), compiled.needs
    if kind is Type.ANY:
        shows = {one: _shower(one, encoding) for one in Type if one is not Type.ANY}

        def show_any(x: Any) -> str:
            pair = run(x)
            return encoding.missing if pair is None else shows[pair[0]](pair[1])

        return show_any, compiled.needs
    show = _shower(kind, encoding)

    def show_value(x: Any) -> str:
        value = run(x)
        return encoding.missing if value is None else show(value)

    return show_value, compiled.needs


def _shower(kind: Type, encoding: Encoding) -> Callable[[Any], str]:
    """A value of that type -> how it is written."""
    if kind is Type.INT:
        return encoding.number
    if kind is Type.BOOL:
        return encoding.truth
    if kind is Type.BIN:
        return encoding.octets
    cast = find_cast(kind, Type.STR)
    assert cast is not None

    def show(value: Any) -> str:
        text = cast(value)
        return encoding.missing if text is None else encoding.text(text.decode("utf-8", "surrogateescape"))

    return show
