"""Make `_tables.json` from `grammar/catnn.lark`: ``python -m catnn.syntax.make_tables``.

Lark builds the LALR(1) tables here, once, in its strict mode (which needs `interegular`); what runs reads the JSON
and never imports Lark, since building the tables costs more time than a whole `catnn check` may take.

The JSON holds, in an order that depends on the grammar alone:

- ``keywords``, ``literals``, ``patterns``: the terminals by name: reserved words, spellings, regular expressions;
- ``ignored``: the terminals that leave no token;
- ``rules``: [name of the node, name of the rule, length, what becomes of each child, whether one child stands alone];
- ``states``: for each state, symbol -> n, where n >= 0 goes to state n and n < 0 applies rule -1 - n;
- ``starts``: for each start symbol, its first and its last state.
"""

from __future__ import annotations

import json
import sys
from collections import deque
from pathlib import Path
from typing import Any

from catnn.resources import grammar_path

STARTS = ("module", "statement", "term", "type", "arrow", "group", "pattern", "bare_pattern")
DROP, KEEP, SPLICE = 0, 1, 2


def make_tables() -> dict[str, Any]:
    """The tables of the grammar, as plain data."""
    from lark import Lark

    text = grammar_path().read_text(encoding="utf-8")
    lark = Lark(text, parser="lalr", lexer="basic", strict=True, maybe_placeholders=False, start=list(STARTS))
    table = lark.parser.parser._parse_table
    numbers, states = _numbered(table)
    return {
        **_terminals(lark),
        "ignored": sorted(lark.ignore_tokens),
        "rules": [_rule(rule) for rule in lark.rules],
        "states": [_state(state, numbers, {rule: i for i, rule in enumerate(lark.rules)}) for state in states],
        "starts": {s: [numbers[table.start_states[s]], numbers[table.end_states[s]]] for s in STARTS},
    }


def _terminals(lark: Any) -> dict[str, Any]:
    """Terminals by kind; the patterns in the order in which they are tried."""
    keywords: dict[str, str] = {}
    literals: dict[str, str] = {}
    patterns: dict[str, str] = {}
    for terminal in sorted(lark.terminals, key=lambda t: (-t.priority, t.name)):
        if terminal.pattern.type == "re":
            patterns[terminal.name] = terminal.pattern.value
        elif terminal.pattern.value.isidentifier():
            keywords[terminal.name] = terminal.pattern.value
        else:
            literals[terminal.name] = terminal.pattern.value
    return {"keywords": keywords, "literals": literals, "patterns": patterns}


def _rule(rule: Any) -> list[Any]:
    fates = [
        DROP if symbol.is_term and symbol.filter_out else SPLICE if symbol.name.startswith("_") else KEEP
        for symbol in rule.expansion
    ]
    alone = bool(rule.options.expand1) and not rule.alias
    return [rule.alias or rule.origin.name, rule.origin.name, len(fates), fates, int(alone)]


def _numbered(table: Any) -> tuple[dict[Any, int], list[Any]]:
    """The states, numbered as a breadth-first walk over sorted symbols meets them."""
    numbers: dict[Any, int] = {}
    states: list[Any] = []
    queue = deque(table.start_states[start] for start in STARTS)
    while queue:
        key = queue.popleft()
        if key in numbers:
            continue
        numbers[key] = len(states)
        states.append(table.states[key])
        row = table.states[key]
        queue.extend(row[symbol][1] for symbol in sorted(row) if str(row[symbol][0]) == "Shift")
    return numbers, states


def _state(row: Any, numbers: dict[Any, int], rules: dict[Any, int]) -> dict[str, int]:
    actions = {}
    for symbol in sorted(row):
        action, target = row[symbol]
        actions[symbol] = numbers[target] if str(action) == "Shift" else -1 - rules[target]
    return actions


def dump(tables: dict[str, Any]) -> str:
    """The JSON text, a line a state, so that a change of the grammar can be read in a diff."""
    lines = []
    for key, value in tables.items():
        if isinstance(value, list) and key in ("rules", "states"):
            rows = ",\n  ".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in value)
            lines.append(f'"{key}": [\n  {rows}\n]')
        else:
            lines.append(f'"{key}": {json.dumps(value, ensure_ascii=False)}')
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main() -> int:
    """Write the tables beside the parser."""
    path = Path(__file__).with_name("_tables.json")
    path.write_text(dump(make_tables()), encoding="utf-8")
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
