"""Young's basis as a constant of a generated file (`catnn.plan.fourier.stated`)."""

from __future__ import annotations

from hashlib import sha256
from textwrap import wrap

from catnn.category.spectrum import Spectrum
from catnn.emit.writer import one_tuple
from catnn.plan.plan import Sigma


def constant(found: Spectrum, sigmas: tuple[Sigma, ...]) -> tuple[str, str]:
    """The name of the constant for blocks and permutations, and its text."""
    number = sha256(repr(sigmas).encode()).hexdigest()[:4]
    name = f"_FOURIER_{found.p}_{found.n}_{number.upper()}"
    values = {round(value, 13): value for value in reversed(found.values)}  # those equal but for the last digit are one
    at = {value: number for number, value in enumerate(values)}
    vectors = (
        one_tuple(f"({_place(word, found.n)}, {at[round(found.values[value], 13)]})" for word, value in row)
        for row in found.rows
    )
    permutations = one_tuple(one_tuple(map(str, sigma)) for sigma in sigmas)
    spans = one_tuple(one_tuple(map(str, span)) for span in found.spans)
    lines = [
        f"{name} = _fourier(",
        f"    {found.n},",
        *_wrapped(permutations),
        f"    {spans},  # for each partition of {found.p} its parts and standard tableaux",
        *_wrapped(one_tuple(map(repr, values.values()))),
        *_wrapped(one_tuple(vectors)),
        ")",
    ]
    return name, "\n".join(lines) + "\n"


def _place(word: tuple[int, ...], n: int) -> int:
    """Where the entry with these indices is."""
    place = 0
    for index in word:
        place = place * n + index
    return place


def _wrapped(text: str) -> list[str]:
    """A tuple as an argument, on lines of its own where it is long."""
    if len(text) < 110:
        return [f"    {text},"]
    lines = wrap(text[1:-1].rstrip(","), 108)
    return ["    (", *(f"        {line}" for line in lines[:-1]), f"        {lines[-1]},", "    ),"]
