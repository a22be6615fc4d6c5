"""Numbers of set partitions and of standard Young tableaux: what there is to count before anything is enumerated."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from math import comb, factorial, log10, prod


@cache
def stirling_row(m: int) -> tuple[int, ...]:
    """Stirling numbers of the second kind S(m, 0..m).

    >>> stirling_row(4)
    (0, 1, 7, 6, 1)
    """
    row = [1]
    for _ in range(m):
        row = [0] + [t * (row[t] if t < len(row) else 0) + row[t - 1] for t in range(1, len(row) + 1)]
    return tuple(row)


def stirling_start(m: int, most: int) -> list[int]:
    """S(m, 0..most), without the rest of the row.

    >>> stirling_start(4, 2), stirling_start(1, 2)
    ([0, 1, 7], [0, 1, 0])
    """
    row = [1] + [0] * most
    for _ in range(m):
        row = [0] + [row[t - 1] + t * row[t] for t in range(1, most + 1)]
    return row


@cache
def bell(m: int) -> int:
    """The number of partitions of m things.

    >>> [bell(m) for m in range(7)]
    [1, 1, 2, 5, 15, 52, 203]
    """
    row = [1]
    for _ in range(m):
        new = [row[-1]]
        for value in row:
            new.append(new[-1] + value)
        row = new
    return row[0]


@cache
def even_row(m: int) -> tuple[int, ...]:
    """Numbers of partitions of m things into 0..m blocks of even size.

    >>> even_row(4)
    (0, 1, 3, 0, 0)
    """
    if m == 0:
        return (1,)
    row = [0] * (m + 1)
    for size in range(2, m + 1, 2):
        for t, found in enumerate(even_row(m - size)):
            row[t + 1] += comb(m - 1, size - 1) * found
    return tuple(row)


def matchings(m: int) -> int:
    """The number of perfect matchings of m things: (m-1)!! or 0.

    >>> [matchings(m) for m in range(7)]
    [1, 0, 1, 0, 3, 0, 15]
    """
    return 0 if m % 2 else prod(range(1, m, 2))


MOST_PORTS = 60
"""So many ports are within reach of sums over Young diagrams."""


def even_shapes(m: int, rows: int, columns: int) -> Iterator[tuple[int, ...]]:
    """The partitions of the even number m into at most `rows` parts, all of them even and at most `columns`.

    >>> list(even_shapes(6, 2, 6))
    [(6,), (4, 2)]
    """

    def grow(left: int, largest: int, room: int) -> Iterator[tuple[int, ...]]:
        if left == 0:
            yield ()
        elif room:
            for part in range(min(left, largest), 0, -1):
                for rest in grow(left - part, part, room - 1):
                    yield (part, *rest)

    for halves in grow(m // 2, min(m, columns) // 2, rows):
        yield tuple(2 * part for part in halves)


def shapes(m: int, rows: int) -> Iterator[tuple[int, ...]]:
    """The partitions of m into at most `rows` parts.

    >>> list(shapes(4, 2))
    [(4,), (3, 1), (2, 2)]
    """
    for shape in even_shapes(2 * m, rows, 2 * m):
        yield tuple(part // 2 for part in shape)


def tableaux(shape: tuple[int, ...]) -> int:
    """The number of standard Young tableaux, by the hook length formula (Frame, Robinson, Thrall 1954).

    >>> tableaux((2, 1))
    2
    """
    columns = [sum(1 for row in shape if row > c) for c in range(shape[0] if shape else 0)]
    hooks = prod(row - c + columns[c] - r - 1 for r, row in enumerate(shape) for c in range(row))
    return factorial(sum(shape)) // hooks


def number(value: int) -> str:
    """A count as people read it: separated thousands, a power of ten where it has more than 30 digits.

    >>> number(445958869294805289), number(10**40)
    ('445,958,869,294,805,289', 'about 10^40')
    """
    if value.bit_length() < 100:
        return f"{value:,}"
    return f"about 10^{int(log10(value) + 1e-9)}"
