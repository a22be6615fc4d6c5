"""The names that a statement gives a meaning."""

from __future__ import annotations

from catnn.syntax import nodes


def declared(statement: nodes.Statement) -> tuple[nodes.Name, ...]:
    """The names that a statement gives a meaning, as they are written; none for a `check`.

    >>> from catnn.syntax.parser import make_source, parse_recovering
    >>> module, _ = parse_recovering(make_source("space V, W : S(n)  let f : V -> V = id", "<text>"))
    >>> [[name.text for name in declared(statement)] for statement in module.statements]
    [['V', 'W'], ['f']]
    """
    match statement:
        case nodes.SpaceStatement() | nodes.BoxStatement():
            return statement.names
        case nodes.CheckStatement():
            return ()
        case nodes.ImportStatement():
            return (statement.alias,)
    return (statement.name,)
