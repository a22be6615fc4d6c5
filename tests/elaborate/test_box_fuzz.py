"""Boxes, rules, promises, schemas and epsilons in any company: a spec, or a fault with a code, a place and a reason."""

from __future__ import annotations

from random import Random

import pytest

import catnn
from catnn import checker, view
from catnn.category.families import FAMILIES
from catnn.diagnostics import CatnnError
from catnn.rewrite.proofs import from_json, to_dict, to_json

GROUPS = (
    *("S(n)", "SO(3)", "SO(2)", "SO(1)", "Sp(n)", "Sp(2)", "O(n)", "O(2)", "U(n)", "A(3)", "A(2)", "A(1)", "H(n)", "3"),
    *("B(n)", "S'(n)", "B'(n)", "S+(n)", "O+(n)", "O(1,2)", "S(2)", "S(1)", "Perm(3,(0 1 2))"),
)
LEGS = {"id": (1, 1), "swap": (2, 2), "merge": (2, 1), "copy": (1, 2), "unit": (0, 1), "discard": (1, 0)}
LEGS |= {"ev": (2, 0), "coev": (0, 2)}
PROMISES = (
    *("", "", "", "", "{ adjoint: self }", "{ adjoint: isometry }", "{ adjoint: unitary }"),
    *("{ symmetric: inputs }", "{ symmetric: outputs }", "{ symmetric: both }"),
)
FREE = (
    ("spider[1,q]", 1, 1),
    ("spider[p,q]", 1, 1),
    ("f^q", 1, 1),
    ("coev^q", 0, 2),
    ("ev^p", 2, 0),
    ("spider[q,0]", 1, 0),
)
ODD = (
    "eps",
    "eps'",
    "[i -> i]",
    "[i i -> ]",
    "sgn[i j -> k]",
    "[->]",
    "spider[0,0]",
    "perm[1,0]",
    "id[V^2]",
    "nothing",
)

Piece = tuple[str, int, int]
"""A name, its inputs and its outputs."""


class Making:
    """Specs whose terms are typed but for mistakes."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.group = self.random.choice(GROUPS)
        key, _, size = self.group.rstrip(")").partition("(")
        family = FAMILIES.get(key)
        has = LEGS if family is None else [name for name in LEGS if name in family.generators]
        self.pieces: list[Piece] = [(name, *LEGS[name]) for name in has]
        if family is not None and "eps" in family.generators and size.isdigit():
            self.pieces += [("eps", 0, int(size)), ("eps'", int(size), 0)]

    def spec(self) -> str:
        pick = self.random.choice
        lines = [f"space V : {self.group}"]
        for name in "fghk"[: self.random.randint(1, 4)]:
            k, l = pick([(1, 1), (1, 1), (2, 1), (1, 2), (0, 1), (2, 2), (1, 0)])
            lines.append(f"box {name} : {self.word(k)} -> {self.word(l)} = abstract {pick(PROMISES)}")
            self.pieces += [(name, k, l), (f"{name}'", l, k)]
        for number in range(self.random.randint(0, 3)):
            left, right = self.sides(2, free=self.random.random() < 0.4)
            lines.append(f"rule r{number} : {left} {pick(['=>', '='])} {right}")
        for _ in range(self.random.randint(1, 2)):
            lines.append("check {} = {}".format(*self.sides(3, free=False)))
        return "\n".join(lines)

    @staticmethod
    def word(order: int) -> str:
        return f"V^{order}" if order else "1"

    def sides(self, most: int, *, free: bool) -> tuple[str, str]:
        k = self.random.randint(0, 2)
        left, width = self.term(k, most, free=free)
        right, other = self.term(k, most, free=free)
        for _ in range(20):
            if other != width:
                right, other = self.term(k, most, free=free)
        if other == width and self.random.random() < 0.3:
            right = f"({left}) + {self.random.choice(['2', '-1', '1/2', '0', '1/n'])} * ({right})"
        return left, right

    def term(self, width: int, most: int, *, free: bool) -> tuple[str, int]:
        stages = []
        for _ in range(self.random.randint(1, most)):
            row: list[str] = []
            left, width = width, 0
            while left or (self.random.random() < 0.2 and len(row) < 3):
                fitting = [piece for piece in self.pieces if piece[1] <= left]
                if free and self.random.random() < 0.2:
                    fitting = [piece for piece in FREE if piece[1] <= left] or fitting
                if not fitting or self.random.random() < 0.02:
                    fitting = [(self.random.choice(ODD), left, 1)]
                name, k, l = self.random.choice(fitting)
                row.append(name)
                left, width = left - k, width + l
            stages.append(" @ ".join(row) or "[->]")
            if width > 4:
                break
        return " ; ".join(stages), width


def check_spec(text: str) -> str:
    """What became of a spec: `ok`, or the code of its first fault."""
    try:
        spec = catnn.parse(text, "any.catnn")
    except CatnnError as error:
        for fault in error.diagnostics:
            assert fault.labels, (fault, text)
            assert fault.notes or fault.helps or len(fault.labels) > 1 or fault.labels[0].text, (fault, text)
        return error.diagnostics[0].code
    for rule in spec.rules:
        assert view.from_json(view.to_json(rule)) == rule, (str(rule), text)
    for check in spec.checks:
        if check.proof is not None:
            checker.verify(to_dict(check.proof))
            assert to_json(from_json(to_json(check.proof))) == to_json(check.proof)
    return "ok"


@pytest.mark.parametrize("start", range(0, 200, 20))
def test_any_company_works_or_says_why(start: int) -> None:
    assert [check_spec(Making(seed).spec()) for seed in range(start, start + 20)]


COMPANY: dict[str, tuple[str, str]] = {
    "a schema over a symplectic wire": (
        """
        space P : Sp(n)
        box f, g : P -> P = abstract
        rule r : f^q => g^q
        check coev ; f @ f = coev ; g @ g
        """,
        "ok",
    ),
    "bends with free powers": (
        """
        space P : Sp(n)
        box f : P -> P = abstract
        rule r : coev^q ; (f @ f)^q => coev^q
        check coev @ coev ; f^4 = coev @ coev
        """,
        "ok",
    ),
    "a spider that is not there": (
        """
        space P : Sp(n)
        box f : P -> P = abstract
        rule r : spider[1,q] ; f^q => spider[1,q]
        """,
        "E0403",
    ),
    "spiders of even arity alone": (
        """
        space V : H(n)
        box f : V -> V = abstract
        rule r : spider[1,q] ; f^q => spider[1,q]
        check spider[1,3] ; f^3 = spider[1,3]
        """,
        "ok",
    ),
    "epsilon in a rule": (
        """
        space R : SO(3)
        box f : R -> R = abstract
        rule r : eps ; f^3 => eps
        check eps @ id ; f^3 @ id ; id @ id @ ev = eps @ id ; id @ id @ ev
        """,
        "ok",
    ),
    "an epsilon that changes its sign": (
        """
        space R : SO(3)
        box f : R -> R = abstract
        rule r : eps ; f^3 => eps
        check eps ; swap @ id ; f^3 = -1 * eps
        """,
        "ok",
    ),
    "a symmetric box": (
        """
        space V : S(n)
        box s : V^2 -> V = abstract { symmetric: inputs }
        box f : V -> V = abstract
        rule r : f @ id ; s => s
        check id @ f ; s = s
        """,
        "ok",
    ),
    "a symmetric box on one wire and another": (
        """
        space V : S(n)
        space W : S(m)
        box s : V @ W -> V = abstract { symmetric: inputs }
        """,
        "E0620",
    ),
    "exchange and dagger": (
        """
        space V : O(n)
        box s : V^2 -> V = abstract { symmetric: inputs }
        check s' ; swap = s'
        """,
        "ok",
    ),
    "its own dagger, up to a sign": (
        """
        space V : S(n)
        box a : V -> V = abstract { adjoint: self }
        rule r : a ; a => 2 * a
        check a' ; a' ; a = 4 * a
        """,
        "ok",
    ),
    "an isometry in a sum": (
        """
        space V : S(n)
        box q : V -> V^2 = abstract { adjoint: isometry }
        box f : V -> V = abstract
        rule r : f => 1/n * (q ; q') - id
        check f ; q = 1/n * q - q
        """,
        "ok",
    ),
    "not unitary": (
        """
        space V : S(n)
        box q : V -> V = abstract { adjoint: isometry }
        check q' ; q = id
        """,
        "E0703",
    ),
    "a coefficient that is 0": (
        """
        space V : S(n)
        box f : V -> V = abstract
        rule r : 0 * f => f
        """,
        "E0705",
    ),
    "a sum on the left": (
        """
        space V : S(n)
        box f, g : V -> V = abstract
        rule r : f + g => g
        """,
        "E0705",
    ),
    "a sum on the left that may be turned": (
        """
        space V : S(n)
        box f, g : V -> V = abstract
        rule r : f + g = g ; g
        check g ; g ; f = f ; f + g ; f
        """,
        "ok",
    ),
    "an arity on the right alone": (
        """
        space V : S(n)
        box f : V -> V = abstract
        rule r : f => spider[1,q] ; spider[q,1]
        """,
        "E0706",
    ),
    "an arity in a check": (
        """
        space V : S(n)
        box f : V -> V = abstract
        check f^q = f^q
        """,
        "E0205",
    ),
    "a size as an arity": (
        """
        space V : S(n)
        box f : V -> V = abstract
        rule r : f^n => f^n
        """,
        "ok",
    ),
    "no end": (
        """
        space V : S(n)
        box f, g : V -> V = abstract
        rule r : f => f ; g ; f
        check f = g
        """,
        "E0701",
    ),
    "unitary over complex numbers": (
        """
        space U : U(n)
        box q : U -> U = abstract { adjoint: unitary }
        check q ; q' ; q = q
        check coev[U] ; q @ id[U'] = coev[U] ; q @ id[U']
        """,
        "ok",
    ),
    "jellyfish": (
        """
        space V : A(3)
        box f : V -> V = abstract
        rule r : f ; f => f
        check eps ; f^3 ; f^3 = eps ; f^3
        check eps ; (f ; f) @ discard @ discard = 0 * (unit ; f)
        """,
        "ok",
    ),
}


@pytest.mark.parametrize("name", COMPANY)
def test_company(name: str) -> None:
    text, wanted = COMPANY[name]
    assert check_spec(text) == wanted
