"""How much memory a program takes between input and output, and where its values lie there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

LINE = 16
"""Values of many numbers begin at a multiple of so many: a line of the cache."""
STEP = 96
"""So many rows are piled up for a product at most."""
DEEP = 384
"""So many channels are met in one product; what is deeper is cut, and added up."""
LOCAL = 2048
"""So few numbers are kept by the library itself, without a tensor for them."""


@dataclass(frozen=True, slots=True)
class Room:
    """What a program may keep at a time; the defaults are those of the fastest.

    resident: whether the weights of all products are brought into order once, and kept;
    panel: otherwise, how many of them at a time; pile: how many numbers of the rows of a product are gathered;
    group: how many numbers the columns of a product may have together, 0 for all there are;
    passes: 2 if the coarse levels are done and forgotten before the fine ones;
    plain: products of up to so many multiply-adds for an entry have neither panel nor pile.
    """

    resident: bool = True
    panel: int = 1 << 15
    pile: int = 1 << 14
    group: int = 0
    passes: int = 1
    plain: int = 0

    def deep(self, width: int) -> int:
        """So many channels of a matrix are multiplied with at once."""
        return DEEP if self.resident else min(DEEP, max(1, self.panel // width))

    def step(self, depth: int, count: int) -> int:
        """So many rows of a depth are piled up."""
        return max(1, min(STEP, self.pile // max(depth, 1), count))


FASTEST = Room()
PLAIN = 512
"""To bring weights into order does not pay for products of so few multiply-adds, those of all entries together."""


def rooms(most: int, entries: int) -> Iterator[Room]:
    """From the fastest to the smallest; most: how many numbers there should be place for; entries: of the batch."""
    fastest = replace(FASTEST, plain=PLAIN // entries)
    yield fastest
    lean = replace(fastest, resident=False)
    yield replace(lean, panel=1 << 14, pile=1 << 13)
    yield replace(lean, panel=1 << 13, pile=1 << 12)
    yield replace(lean, panel=1 << 12, pile=1 << 11)
    yield replace(lean, panel=1 << 11, pile=1 << 11)
    yield replace(lean, panel=1 << 12, pile=1 << 11, group=most // 2)
    lean = replace(lean, passes=2)
    yield replace(lean, panel=1 << 11, pile=1 << 11, group=most // 2)
    yield replace(lean, panel=1 << 11, pile=1 << 10, group=most // 4)
    yield replace(lean, panel=1 << 10, pile=1 << 10, group=most // 8)
    yield replace(lean, panel=1 << 9, pile=1 << 9, group=1)
    yield replace(lean, panel=1 << 9, pile=1 << 9, group=1, plain=1 << 12)


def placed(lengths: Sequence[int], spans: Sequence[tuple[int, int]]) -> tuple[list[int], int]:
    """Where values lie of which those with spans that meet may not overlap, and how much they take together.

    The longest first, each as far in front as it fits.

    >>> placed([4, 4, 2], [(0, 1), (2, 3), (1, 2)])
    ([0, 0, 4], 6)
    """
    offsets, total = [0] * len(lengths), 0
    done: list[int] = []
    for at in sorted(range(len(lengths)), key=lambda at: (-lengths[at], spans[at])):
        first, last = spans[at]
        near = [o for o in done if spans[o][0] <= last and first <= spans[o][1]]
        place = 0
        for start, end in sorted((offsets[o], offsets[o] + lengths[o]) for o in near):
            if place + lengths[at] <= start:
                break
            place = max(place, _aligned(end) if lengths[at] >= LINE * LINE else end)
        offsets[at] = place
        done.append(at)
        total = max(total, place + lengths[at])
    return offsets, total


def _aligned(place: int) -> int:
    return -(-place // LINE) * LINE
