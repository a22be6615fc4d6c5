"""The tensors of boxes in a generated class: parameters, buffers, how they are drawn, and their names in a forward."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import permutations
from math import prod

from catnn.activations import MAPS
from catnn.category.families import FAMILIES
from catnn.category.wires import Word
from catnn.diagnostics import fail
from catnn.emit.tensors import Lines
from catnn.emit.writer import Names, one_tuple, quoted
from catnn.hypergraph.box import Box
from catnn.hypergraph.contraction import Contraction, Form
from catnn.plan.orders import factors, ranked
from catnn.program import Constant, Contract, Program, Tensor

MOST_LEGS = 7
"""The Levi-Civita tensor is written out in full, n^n numbers, up to this n."""


@dataclass
class Weighed:
    """The boxes of a program.

    setup: the lines of the constructor that make their tensors; draw: those that draw them; attributes: of each box (or
    factor of one) or form; maps: an opaque box as a format, or what it is called; parts: the shared parts that the
    lines use; local: the variables of the forward so far.
    """

    tensors: dict[Box, Tensor]
    setup: list[str] = field(default_factory=list)
    draw: list[str] = field(default_factory=list)
    attributes: dict[Box | Form, str] = field(default_factory=dict)
    maps: dict[Box, str] = field(default_factory=dict)
    parts: set[str] = field(default_factory=set)
    local: dict[Box | Form, str] = field(default_factory=dict)

    def ranked(self, contraction: Contraction) -> Contraction:
        """The contraction with each box of a rank as its two factors, which meet in one more index."""
        return ranked(contraction, self.tensors)

    def name(self, label: Box | Form, lines: Lines, like: str | None) -> str:
        """The variable of a box or form in the forward, made where it is needed first.

        like: a tensor of the dtype to compute in.
        """
        if label not in self.local:
            attribute = self.attributes[label]
            expression = attribute
            if attribute.startswith("_omega"):
                expression = attribute.format(like)
            elif isinstance(label, Form) or label.kind == "fixed":
                expression = f"{attribute}.to({like}.dtype)" if like else attribute
            elif label.symmetric or label.adjoint == "self":
                expression = _symmetrised(label, attribute)
            wanted = label.name.rpartition(".")[2] if isinstance(label, Box) else label.kind
            self.local[label] = lines.let(wanted, expression)
        return self.local[label]

    def used(self, contraction: Contraction) -> set[str]:
        """The shared parts that the forms of a contraction need."""
        return (
            {"_omega"}
            if any(isinstance(o.label, Form) and o.label.kind == "omega" for o in contraction.operands)
            else set()
        )


def tensor_lines(program: Program, names: Names, imports: Mapping[str, str]) -> Weighed:
    """The tensors of the boxes of a program.

    names: those of its submodules; imports: what functions of other packages are called, by their import paths.
    """
    found = Weighed(dict(program.tensors))
    parameters: dict[str, str] = {}
    for box, tensor in program.tensors:
        if tensor.map is not None:
            found.maps[box] = imports[tensor.map] if tensor.map in imports else MAPS[tensor.map].torch
        elif tensor.constant is not None:
            _constant(found, box, tensor.constant, names)
        elif tensor.rank is not None:
            for piece in factors(box, tensor.rank):
                _learned(found, piece, replace(tensor, shares=None), parameters, names)
        else:
            _learned(found, box, tensor, parameters, names)
    for step in program.steps:
        for operand in step.contraction.operands if isinstance(step, Contract) else ():
            if isinstance(operand.label, Form) and operand.label not in found.attributes:
                _form(found, operand.label, len(operand.axes), names)
    return found


def _learned(found: Weighed, box: Box, tensor: Tensor, parameters: dict[str, str], names: Names) -> None:
    key = tensor.shares or box.name
    if key not in parameters:
        parameters[key] = names.fresh(key.replace(".", "_"))
        attribute = f"self.{parameters[key]}"
        shape = ", ".join(map(str, _lengths(box.target + box.source))) or "()"
        found.setup.append(f"{attribute} = nn.Parameter(torch.empty({shape}, device=device, dtype=dtype))")
        if tensor.init == "zeros":
            found.draw.append(f"nn.init.zeros_({attribute})")
        else:
            found.parts.add("_drawn")
            found.draw.append(f"_drawn({attribute}, 1 / {prod(_lengths(box.source))}, generator)")
    found.attributes[box] = f"self.{parameters[key]}"


def _lengths(word: Word) -> list[int]:
    lengths = [wire.group.size for wire in word]
    assert all(isinstance(length, int) for length in lengths)
    return [length for length in lengths if isinstance(length, int)]


def _constant(found: Weighed, box: Box, constant: Constant, names: Names) -> None:
    name = names.fresh(box.name.replace(".", "_"))
    numbers = ", ".join(repr(float(number)) for number in constant.array().ravel().tolist())
    found.setup += [
        f"{name} = torch.tensor([{numbers}], device=device, dtype=dtype or torch.get_default_dtype())",
        f"{name} = {name}.reshape({one_tuple(map(str, constant.shape))})",
        f"self.register_buffer({quoted(name)}, {name}, persistent=False)",
    ]
    found.attributes[box] = f"self.{name}"


def _form(found: Weighed, form: Form, legs: int, names: Names) -> None:
    if form.kind == "omega":
        size = form.group.size
        found.attributes[form] = f"_omega({size if isinstance(size, int) else f'lengths[{quoted(size)}]'}, {{}})"
        return
    name = names.fresh(form.kind)
    if form.kind == "epsilon":
        if legs > MOST_LEGS:
            raise fail(
                "E1020",
                f"the Levi-Civita tensor of {form.group} has {legs**legs:,} entries",
                notes=(f"in a pattern of several values it is written out, up to SO({MOST_LEGS})",),
                helps=("use it in a layer: `layer f : A -> B = span { ... }`",),
            )
        made = f"_levi_civita({legs}, device, dtype)"
        found.parts.add("_levi_civita")
    else:
        plus, size = FAMILIES[form.group.family].plus, form.group.size
        assert plus is not None
        assert isinstance(size, int)
        made = f"_metric_matrix({plus}, {size - plus}, device, dtype)"
        found.parts.add("_metric_matrix")
    found.setup.append(f"self.register_buffer({quoted(name)}, {made}, persistent=False)")
    found.attributes[form] = f"self.{name}"


def _symmetrised(box: Box, attribute: str) -> str:
    """The mean of a learned tensor over the exchanges of legs that its declaration promises to change nothing."""
    l, k = len(box.target), len(box.source)
    outs = list(permutations(range(l))) if box.free_outputs else [tuple(range(l))]
    ins = list(permutations(range(l, l + k))) if box.free_inputs else [tuple(range(l, l + k))]
    orders = {(*out, *in_) for out in outs for in_ in ins}
    if box.adjoint == "self":
        orders |= {(*order[l:], *order[:l]) for order in orders}
    same = tuple(range(l + k))
    pieces = [
        attribute if order == same else f"{attribute}.permute({', '.join(map(str, order))})" for order in sorted(orders)
    ]
    return f"({' + '.join(pieces)}) / {len(pieces)}" if len(pieces) > 1 else attribute
