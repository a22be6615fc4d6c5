"""Reduce and expand as torch statements: one line a move of the plan, with the pattern that it computes."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from catnn.category.families import FAMILIES
from catnn.category.half import Half
from catnn.category.scalar import Scale
from catnn.category.wires import Wire, Word
from catnn.emit.fourier import constant
from catnn.emit.writer import Body, count_variable, one_tuple, size_variable
from catnn.plan.fourier import stated
from catnn.plan.moves import Move, full
from catnn.plan.plan import Plan, Product, Row, Sigma
from catnn.plan.prove import turn


def axis(a: int, ports: int) -> int:
    """The (negative) dimension of axis a of a value with that many axes; channels are last."""
    return a - ports - 1


def count_of(body: Body, wire: Wire) -> str:
    """The size of a space as it counts in sums: a variable, which a mask makes a tensor."""
    body.counts.add(wire.space)
    return count_variable(wire.space)


def scaled(body: Body, value: str, ports: int, factors: list[tuple[str, int]]) -> str:
    """value times powers of counts."""
    if not factors:
        return value
    shown = ", ".join(f"({count}, {exponent})" for count, exponent in factors)
    return f"{body.use('_scaled')}({value}, {ports + 1}, {shown})"


def scale_factors(body: Body, scale: Scale, wires: Word) -> list[tuple[str, int]]:
    """The factors of a monomial: a size counts as the first space that has it (masks of the others count alike)."""
    factors = []
    for size, exponent in scale:
        wire = next((w for w in wires if w.group.size == size), None)
        if wire is None:
            assert isinstance(size, str)  # a number is the size of a wire
            body.sizes.add(size)
            factors.append((size_variable(size), exponent))
        else:
            factors.append((count_of(body, wire), exponent))
    return factors


def mean_factors(body: Body, move: Move) -> list[tuple[str, int]]:
    """What a mean divides by."""
    if not move.mean or move.op in ("diagonal", "epsilon"):
        return []
    axes = move.axes if move.op == "sum" else move.axes[:1]
    return [(count_of(body, move.fine.level[a]), -1) for a in axes]


def moved(value: str, sigma: Sigma) -> str:
    """The value with output axis j = input axis sigma[j]."""
    p = len(sigma)
    away = [j for j in range(p) if sigma[j] != j]
    if not away:
        return value
    if " @ " in value:
        value = f"({value})"
    if len(away) == 2:
        return f"{value}.transpose({axis(away[0], p)}, {axis(away[1], p)})"
    source = ", ".join(str(axis(sigma[j], p)) for j in away)
    target = ", ".join(str(axis(j, p)) for j in away)
    return f"{value}.movedim(({source}), ({target}))"


def port_order(word: Word) -> Sigma:
    """Which axis of the tensor is each port of the whole half (they differ only where spaces interleave)."""
    top = full(word)
    return tuple(top.blocks[b][0] for b in top.ports)


def wires_of(plan: Plan) -> Word:
    """All wires of a plan, source first."""
    return tuple(dict.fromkeys(w for side in (plan.source, plan.target) for word in side.words for w in word))


# ------------------------------------------------------------------------------------------------------------ reduce


def reduction(body: Body, plan: Plan, inputs: tuple[str, ...]) -> dict[Row, str]:
    """Write the moves that read the inputs; the name of every value by row."""
    values: dict[Row, str] = {}
    for i, (word, moves) in enumerate(zip(plan.source.words, plan.reads, strict=True)):
        top = Row(i, full(word))
        values[top] = inputs[i]
        order = port_order(word)
        if order != tuple(range(len(word))):
            values[top] = body.let(f"{inputs[i]}_by_space", moved(inputs[i], order))
        for move in moves:
            value = _reduced(body, values[Row(i, move.fine)], move)
            values[Row(i, move.coarse)] = body.let(inputs[i], value, str(move.coarse))
    return values


def _reduced(body: Body, value: str, move: Move) -> str:
    p = len(move.fine.level)
    dims = [axis(a, p) for a in move.axes]
    factors = mean_factors(body, move)
    match move.op:
        case "sum" | "trace" if factors:
            if move.op == "trace":
                value, dims = f"{value}.diagonal(dim1={dims[0]}, dim2={dims[1]})", [-1]
            powers = ", ".join(f"({count}, {exponent})" for count, exponent in factors)
            return f"{body.use('_mean')}({value}, {one_tuple(map(str, dims))}, {len(move.coarse.level) + 1}, {powers})"
        case "sum" if len(dims) == 1 and dims[0] < -2:
            value = f"{body.use('_sum')}({value}, {dims[0]})"
        case "sum":
            value = f"{value}.sum({dims[0] if len(dims) == 1 else tuple(dims)})"
        case "diagonal":
            home = axis(move.axes[0], p - 1)
            return f"{value}.diagonal(dim1={dims[0]}, dim2={dims[1]}).movedim(-1, {home})"
        case "trace":
            value = f"{value}.diagonal(dim1={dims[0]}, dim2={dims[1]}).sum(-1)"
        case "epsilon":
            return _epsilon(body, value, move)
        case "form" | "metric":
            plus, minus = body.names.fresh("plus"), body.names.fresh("minus")
            body.say(f"{plus}, {minus} = {_signed(body, value, move)}")
            value = f"{plus}.sum(-1) - {minus}.sum(-1)"
            if move.mean:
                value = f"({value})"
    return scaled(body, value, len(move.coarse.level), factors)


def _signed(body: Body, value: str, move: Move) -> str:
    """Views of the entries that a form counts with a plus and with a minus, as a pair."""
    level = move.fine.level
    arguments = [value, *(str(axis(a, len(level))) for a in move.axes)]
    family = FAMILIES[level[move.axes[0]].group.family]
    if family.plus is not None:
        arguments.append(str(family.plus))
    return f"{body.use(f'_{move.op}')}({', '.join(arguments)})"


def _epsilon(body: Body, value: str, move: Move, *, turned: bool = False) -> str:
    """The Levi-Civita tensor applied; turned: upside down, from the coarse half, but for the sign of the order."""
    p, q = len(move.fine.level), len(move.coarse.level)
    legs = one_tuple(str(axis(a, p)) for a in move.axes)
    axes = one_tuple(str(axis(move.home + j, q)) for j in range(move.born))
    if turned:
        legs, axes = axes, legs
    arguments = [value, str(move.wire.group.size), legs, axes]
    if move.head:
        kept = move.kept
        arguments += [one_tuple(str(axis(kept.index(a), len(kept))) for a in move.arms), str(move.head[1])]
    return f"{body.use('_epsilon')}({', '.join(arguments)})"


def whole_input(plan: Plan, row: Row, inputs: tuple[str, ...]) -> str:
    """A whole input, its axes in port order."""
    return moved(inputs[row.summand], port_order(row.half.word))


# ------------------------------------------------------------------------------------------------------------ expand


@dataclass(frozen=True, slots=True)
class Whole:
    """A product that is added to a whole target: its rows and weight as expressions.

    other, shared: in a gradient, the input that its rows' weight met, and the name for the weight's gradient; or "".
    """

    product: Product
    row: str
    weight: str
    other: str = ""
    shared: str = ""


class Expansion:
    """Write the moves that build one target, the coarse first.

    slices: for each half, the parts of products that it gets, which may be added into; loose: other tensors that it
    gets; constants: biases; whole: the products with the target itself.
    """

    def __init__(self, body: Body, plan: Plan, out: int, batch: str, name: str, zero: str) -> None:
        self.body, self.plan, self.out, self.batch, self.name, self.zero = body, plan, out, batch, name, zero
        self.word = plan.target.words[out]
        self.slices: dict[Half, list[str]] = defaultdict(list)
        self.loose: dict[Half, list[str]] = defaultdict(list)
        self.constants: dict[Half, list[str]] = defaultdict(list)
        self.whole: list[Whole] = []
        self.children: dict[Half, list[Move]] = defaultdict(list)
        for move in plan.writes[out]:
            self.children[move.fine].append(move)
        self.done: dict[Half, str] = {}

    def write(self, transposed: bool) -> str:
        """All of it; the name of the result."""
        for move in reversed(self.plan.writes[self.out]):
            if move.coarse not in self.done:
                self.done[move.coarse] = self._value(move.coarse)
        top = full(self.word)
        result = self._top(top, transposed)
        order = port_order(self.word)
        back = tuple(order.index(j) for j in range(len(order)))
        return moved(result, back) if back != tuple(range(len(order))) else result

    def _shape(self, half: Half) -> str:
        level = half.level
        axes = [size_variable(s) if isinstance(s := w.group.size, str) else str(s) for w in level]
        self.body.sizes.update(w.group.size for w in level if isinstance(w.group.size, str))
        return f"({', '.join([self.batch, *axes, str(self.plan.target.summands[self.out].channels)])})"

    def _spread(self, half: Half) -> tuple[list[str], list[Move]]:
        """The children that are broadcast, as expressions; and those that are written on diagonals."""
        broadcast, diagonal = [], []
        for move in self.children[half]:
            if move.op == "sum":
                value = self._child(move)
                for a in reversed(move.axes):
                    value += f".unsqueeze({axis(a, len(half.level))})"
                broadcast.append(value)
            else:
                diagonal.append(move)
        return broadcast, diagonal

    def _child(self, move: Move) -> str:
        """The coarse value of a move, divided where a mean is upside down."""
        value, factors = self.done[move.coarse], mean_factors(self.body, move)
        return self.body.let(self.name, scaled(self.body, value, len(move.coarse.level), factors)) if factors else value

    def _value(self, half: Half) -> str:
        """The value of a half, complete; it may be broadcastable to its shape rather than of it."""
        broadcast, diagonal = self._spread(half)
        slices, comment = self.slices[half], str(half.diagram().dagger())
        fresh = self.loose[half] + self.constants[half] + broadcast
        if slices:
            name = slices[0] if slices[0].isidentifier() else self.body.let(self.name, slices[0], comment)
            for other in slices[1:] + fresh:
                self.body.say(f"{name} += {other}")
        elif fresh:
            value = self._whole(fresh, half) if diagonal else " + ".join(fresh)
            name = self.body.let(self.name, value, comment)
        else:
            name = self._blank(half, diagonal[0], comment)
        self._diagonals(name, half, diagonal)
        return name

    def _blank(self, half: Half, move: Move, comment: str) -> str:
        like, p = self.done[move.coarse], len(half.level)
        if move.op == "epsilon":
            q = len(move.coarse.level)
            like += "".join(f".select({axis(move.home, q - j)}, 0)" for j in range(move.born))
        for a in reversed(move.axes if move.op != "diagonal" else move.axes[1:]):
            like += f".unsqueeze({axis(a, p)})"
        return self.body.let(self.name, f"{self.body.use('_zeros')}({like}, {self._shape(half)})", comment)

    def _diagonals(self, name: str, half: Half, moves: list[Move]) -> None:
        p = len(half.level)
        for move in moves:
            if move.op == "epsilon":
                add = "sub_" if len(move.axes) * move.born % 2 else "add_"
                self.body.say(f"{name}.{add}({_epsilon(self.body, self.done[move.coarse], move, turned=True)})")
                continue
            child = self._child(move)
            a, b = (axis(x, p) for x in move.axes)
            if move.op == "diagonal":
                view = f"{name}.diagonal(dim1={a}, dim2={b}).movedim(-1, {axis(move.axes[0], p - 1)})"
                self.body.say(f"{view}.add_({child})")
            elif move.op == "trace":
                self.body.say(f"{name}.diagonal(dim1={a}, dim2={b}).add_({child}.unsqueeze(-1))")
            else:
                views = _signed(self.body, name, move)  # each taken when it is written: torch.export wants that
                self.body.say(f"{views}[0].add_({child}.unsqueeze(-1))")
                self.body.say(f"{views}[1].sub_({child}.unsqueeze(-1))")

    def _whole(self, pieces: list[str], half: Half) -> str:
        """The sum of pieces in its full shape, in memory that nothing else reads."""
        return f"{self.body.use('_full')}({self._shape(half)}, {', '.join(pieces)})"

    def _top(self, half: Half, transposed: bool) -> str:
        """The target itself: it starts from what is broadcast into it, so that no pass over it is wasted."""
        broadcast, diagonal = self._spread(half)
        pieces = self.slices[half] + self.loose[half] + broadcast
        constants = self.constants[half]
        comment = str(half.diagram().dagger())
        name, bias = "", ""
        alone = len(constants) == 1 and not pieces and not half.word and constants[0].partition("[")[0].isidentifier()
        if alone and self.whole:
            bias = f", {constants[0]}"
        elif pieces + constants:
            name = self.body.let(self.name, self._whole(pieces + constants, half), comment)
        for found in self.whole:
            name = self._add(name, found, transposed, bias)
            bias = ""
        if not name and diagonal:
            name = self._blank(half, diagonal[0], comment)
        elif not name:
            name = self.body.let(self.name, f"{self.zero}.new_zeros({self._shape(half)})", "no diagram leads here")
        self._diagonals(name, half, diagonal)
        return name

    def _add(self, name: str, found: Whole, transposed: bool, bias: str) -> str:
        """One product with the whole target, the first of which may make it."""
        sigmas = found.product.sigmas
        comment = ", ".join(str(turn(found.product.level, sigma)) for sigma in sigmas[:4])
        comment += ", ..." if len(sigmas) > 4 else ""
        if not name and len(sigmas) == 1:
            value = times(found.row, f"{found.weight}[0]", transposed, bias)
            return self.body.let(self.name, moved(value, sigmas[0]), comment)
        weight = found.weight if transposed else f"{found.weight}.transpose(1, 2)"
        part = "_products_back" if found.shared else "_products"
        part, permutations = permuting(self.body, self.plan, found.product, part)
        arguments = f"{name or None}, {found.row}, {weight}, {permutations}"
        name = name or self.body.names.fresh(self.name)
        if found.shared:
            self.body.say(f"{name}, {found.shared} = {part}({arguments}, {found.other})", comment)
        else:
            self.body.say(f"{name} = {part}({arguments})", comment)
        return name


def orders(sigmas: tuple[Sigma, ...]) -> str:
    """Permutations as Python."""
    return one_tuple(one_tuple(str(a) for a in sigma) for sigma in sigmas)


def permuting(body: Body, plan: Plan, product: Product, part: str) -> tuple[str, str]:
    """What sums over the permutations of a product of a plan, and its last arguments: a part, or the same in blocks."""
    found = stated(plan, product)
    if found is None:
        return body.use(part), orders(product.sigmas)
    name, text = constant(found.blocks, product.sigmas)
    body.constants[name] = text
    body.use("_fourier")
    return body.use(f"_block{part}"), f"{orders(product.sigmas)}, {name}"


def times(row: str, weight: str, transposed: bool, bias: str = "") -> str:
    """The product of rows with one block matrix of weights."""
    return f"{row} @ {weight}" if transposed else f"linear({row}, {weight}{bias})"
