"""A driver for the LALR(1) tables that Lark makes from `grammar/catnn.lark`; see `make_tables`.

It knows nothing of the language: tokens go in, and for every rule the table names a callback that gets the extent
of what was matched and the children.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from operator import itemgetter
from pathlib import Path
from typing import Any, Protocol

END = "$END"
KEEP, SPLICE = 1, 2

Build = Callable[[str, int, int, int, list[Any]], Any]
"""The name of the rule, start and end of what it matched, how deep it nests, its children -> its value."""


class Piece(Protocol):
    """What the driver needs of a token."""

    @property
    def kind(self) -> str: ...
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


_depth = itemgetter(2)


@dataclass(frozen=True, slots=True)
class Rule:
    """One production.

    name: of the callback; origin: the symbol it makes; fates: what becomes of each child (dropped, kept, spliced);
    alone: whether one child stands for the whole; splices: whether the children go to the parent.
    """

    name: str
    origin: str
    size: int
    fates: tuple[int, ...]
    alone: bool
    splices: bool


@dataclass(frozen=True, slots=True)
class Tables:
    """The grammar as data: terminals by kind, rules, states and start symbols."""

    keywords: dict[str, str]
    literals: dict[str, str]
    patterns: dict[str, str]
    ignored: tuple[str, ...]
    rules: tuple[Rule, ...]
    states: tuple[dict[str, int], ...]
    starts: dict[str, tuple[int, int]]


@cache
def tables() -> Tables:
    """The tables that came with the package."""
    data = json.loads(Path(__file__).with_name("_tables.json").read_text(encoding="utf-8"))
    rules = tuple(
        Rule(name, origin, size, tuple(fates), bool(alone), origin.startswith("_"))
        for name, origin, size, fates, alone in data["rules"]
    )
    starts = {symbol: (first, last) for symbol, (first, last) in data["starts"].items()}
    return Tables(
        data["keywords"],
        data["literals"],
        data["patterns"],
        tuple(data["ignored"]),
        rules,
        tuple(data["states"]),
        starts,
    )


class Stuck(Exception):  # noqa: N818 -- not an error of its own: the parser makes a diagnostic of it
    """The token at `index` cannot stand there; the number of tokens stands for the end."""

    def __init__(self, index: int) -> None:
        super().__init__(index)
        self.index = index


def parse(start: str, tokens: Sequence[Piece], build: Build, end: int, nesting: frozenset[str] = frozenset()) -> Any:
    """Run the tables over the tokens.

    end: the offset behind the last token; nesting: the rules that are a level deeper than what they hold.

    Raises: Stuck at the first token that cannot stand where it stands; whatever `build` raises.
    """
    table = tables()
    rules, rows = table.rules, table.states
    first, last = table.starts[start]
    states: list[int] = [first]
    values: list[Any] = []
    extents: list[tuple[int, int, int]] = []  # start, end, depth
    index, count = 0, len(tokens)
    while True:
        kind = tokens[index].kind if index < count else END
        action = rows[states[-1]].get(kind)
        if action is None:
            if kind == END and states[-1] == last:
                return values[-1]
            raise Stuck(index)
        if action >= 0:
            token = tokens[index]
            states.append(action)
            values.append(token)
            extents.append((token.start, token.end, 0))
            index += 1
            continue
        rule = rules[-1 - action]
        size = rule.size
        children: list[Any] = []
        if size:
            matched = extents[-size:]
            depth = max(matched, key=_depth)[2] + (rule.name in nesting)
            extent = (matched[0][0], matched[-1][1], depth)
            children = _children(rule, values[-size:])
            del states[-size:], values[-size:], extents[-size:]
        else:
            place = tokens[index].start if index < count else end
            extent = (place, place, 0)
        if rule.splices:
            value: Any = children
        elif rule.alone and len(children) == 1:
            value = children[0]
        else:
            value = build(rule.name, *extent, children)
        values.append(value)
        extents.append(extent)
        states.append(rows[states[-1]][rule.origin])
        if kind == END and states[-1] == last:
            return value


def _children(rule: Rule, values: list[Any]) -> list[Any]:
    """The children that stay; a list that comes first is continued in place, so that long lists take linear time."""
    fates = rule.fates
    rest = 0
    children: list[Any] = []
    if fates[0] == SPLICE:
        children, rest = values[0], 1
    for fate, value in zip(fates[rest:], values[rest:], strict=True):
        if fate == KEEP:
            children.append(value)
        elif fate == SPLICE:
            children.extend(value)
    return children


def can_follow(states: Sequence[int], kind: str) -> bool:
    """Whether a parser whose stack is `states` gets past a token of this kind (or may end, for `END`).

    A table alone cannot tell: states that LALR merges also allow what only a neighbour allows.
    """
    table = tables()
    lasts = {last for _, last in table.starts.values()}
    stack = list(states[-1:])
    depth = len(states) - 1  # what of `states` lies below `stack`
    while True:
        action = table.states[stack[-1]].get(kind)
        if action is None:
            return kind == END and stack[-1] in lasts
        if action >= 0:
            return True
        rule = table.rules[-1 - action]
        for _ in range(rule.size):
            stack.pop()
            if not stack and depth:
                depth -= 1
                stack.append(states[depth])
        stack.append(table.states[stack[-1]][rule.origin])


def expected(states: Sequence[int]) -> frozenset[str]:
    """The kinds of tokens that may come next."""
    row = tables().states[states[-1]]
    return frozenset(kind for kind in (*row, END) if not kind.islower() and can_follow(states, kind))


def stack_after(start: str, kinds: Iterable[str]) -> list[int] | None:
    """The parse stack after these kinds of tokens, whatever comes next; None where one of them does not fit."""
    table = tables()
    stack = [table.starts[start][0]]
    for kind in kinds:
        while True:
            action = table.states[stack[-1]].get(kind)
            if action is None:
                return None
            if action >= 0:
                stack.append(action)
                break
            rule = table.rules[-1 - action]
            if rule.size:
                del stack[-rule.size :]
            stack.append(table.states[stack[-1]][rule.origin])
    return stack


def accepts(start: str, kinds: Iterable[str]) -> bool:
    """Whether the tables accept these kinds of tokens, as a whole."""
    stack = stack_after(start, kinds)
    return stack is not None and can_follow(stack, END)
