"""`catnn dim`: how many equivariant maps there are."""

from __future__ import annotations

import sys

from catnn.commands import usage
from catnn.commands.arguments import DIGITS, Parser
from catnn.commands.console import Progress, print_json
from catnn.diagnostics import fail

EXAMPLES = """\
  catnn dim "S(n)" 2 2      15, for every n from 4 on
  catnn dim "S(3)" 2 2      14: of small sizes only independent maps count
  catnn dim "O(3)" 1 2      0: no non-zero map exists
  catnn dim "S(n)" "Sym^2(V)" 2  11: symmetric tensors of order 2 to all of them
  catnn dim "U(3)" "V V'" 1 a word of V and its dual V', and one V
"""


def parser() -> Parser:
    """The command line."""
    found = Parser("dim", "The dimension of the hom-space: how many weights a layer with one channel has.", EXAMPLES)
    found.add_argument("group", metavar="GROUP", help='the group, in quotes: "S(n)", "O(3)", "Sp(4)"')
    found.add_argument("k", metavar="K", help='how many wires come in, or a word such as "V^2" or "V V\'"')
    found.add_argument("l", metavar="L", help="how many wires go out, likewise")
    found.json()
    return found


def run(words: list[str]) -> int:
    """Run the verb."""
    options = parser().read(words)
    from catnn.api import dim

    with usage(), Progress(f"counting {options.group}"):
        k, l = _wires(options.k), _wires(options.l)
        found = dim(options.group, k, l)
    sys.set_int_max_str_digits(0)  # the numbers of Bell grow fast
    if options.json:
        print_json({"ok": True, "group": options.group, "k": k, "l": l, "dim": found})
    else:
        print(found)
    return 0


def _wires(text: str) -> int | str:
    """A number, or a word of V and V'.  Raises: CatnnError (E1001)."""
    if "V" in text:
        return text
    if not (text.isascii() and text.isdigit() and len(text) <= DIGITS):
        raise fail("E1001", f"`{text}` is not a number of wires", helps=('as in `catnn dim "S(n)" 2 2`',))
    return int(text)
