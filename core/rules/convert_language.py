"""The converter that picks the language that is wanted most from those that there are (manual 7.3.1; RFC 9110, 12.5.4).

Owns: this. Must not know: where the header comes from.
"""

from __future__ import annotations

import re

from .catalogue import Call, Convert, converter
from .samples import STR

# A weight that cannot be read is 1; what is no language, and all behind a second parameter, is left out.
_RANGE = re.compile(
    rb"[ \t]*([^ \t,;]+)[ \t]*(?:;[ \t]*(?:q[ \t]*=[ \t]*([01](?:\.[0-9]*)?))?[^,]*)?(?:,|\Z)|[^,]+(?:,|\Z)"
)


@converter(
    "language",
    STR,
    STR,
    "The one of these languages (parted by ;) that Accept-Language wants most, or the default",
    arguments="languages:string default:string?",
)
def _language(call: Call) -> Convert:
    known = frozenset(language for language in call.values[0].split(b";") if language)
    default: bytes | None = call.values[1]

    def run(value: bytes) -> bytes | None:
        best = 0.0
        chosen: bytes | None = default
        for name, weight in _RANGE.findall(value):
            if not name:
                continue
            quality = min(float(weight), 1.0) if weight else 1.0
            if quality <= best:
                continue
            while name not in known:
                # fr-CA, then fr.
                name = name.rpartition(b"-")[0]
                if not name:
                    break
            else:
                best = quality
                chosen = name
        return chosen

    return run
