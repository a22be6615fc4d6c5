"""The autograd Function of a layer: its backward is the plan upside down, its other derivatives are by linearity."""

from __future__ import annotations

from dataclasses import dataclass

from catnn.emit.functions import Function, bias_names, inputs_of, is_shared, shared_inputs
from catnn.emit.writer import one_tuple
from catnn.plan.plan import Plan

TEMPLATE = '''\
class {name}(torch.autograd.Function):
    """`{plain}` with its gradient: every diagram upside down."""

    @staticmethod
    def forward({parameters}):
        return {plain}({parameters})

    @staticmethod
    def setup_context(ctx, inputs, output):
        _save(ctx, inputs)

    @staticmethod
    def backward(ctx, {grads}):
        {saved} = _saved(ctx)
{backward}

    @staticmethod
    def jvp(ctx, *tangents):
        {saved} = _saved(ctx)
        {tangents} = tangents
{jvp}

    @staticmethod
    def vmap(info, in_dims, *args):
        return _vmap({name}.apply, {plain}, {count}, in_dims, args)
'''


@dataclass(frozen=True, slots=True)
class Functions:
    """The functions of one layer, to be called with each other's results.

    plan, back: the plan and its mirror; reduce, reduce_back: None where every input is taken whole;
    extras: the sizes and counts that any of them takes; is_complex: whether the gradient conjugates, as torch's does.
    """

    plan: Plan
    back: Plan
    reduce: Function | None
    reduce_back: Function | None
    run: Function
    run_back: Function
    weights: Function
    extras: tuple[str, ...]
    is_complex: bool

    @property
    def xs(self) -> tuple[str, ...]:
        """The inputs."""
        return inputs_of(self.plan, "x")

    @property
    def packed(self) -> tuple[str, ...]:
        """The packed weights."""
        return tuple(f"w{i}" for i in range(len(self.plan.products)))

    @property
    def biases(self) -> tuple[str, ...]:
        """The biases."""
        return tuple(bias_names(self.plan).values())

    @property
    def learned(self) -> tuple[str, ...]:
        """Everything that is learned."""
        return self.packed + self.biases

    def plain(self, name: str) -> str:
        """The source of the layer as one differentiable function."""
        halves = [call(self.reduce, self.xs)] if self.reduce else []
        body = call(self.run, (*self.xs, *halves, *self.learned))
        parameters = ", ".join((*self.xs, *self.learned, *self.extras))
        doc = f"{self.plan.name} : {self.plan.source} -> {self.plan.target}, a plain differentiable function."
        return f'def {name}({parameters}):\n    """{doc}"""\n    return {body}\n'

    def derivative(self, plain: str, name: str) -> str:
        """The source of the autograd Function around it."""
        values = (*self.xs, *self.learned, *self.extras)
        tangents = (*(f"d{value}" for value in (*self.xs, *self.learned)), *("_" for _ in self.extras))
        return TEMPLATE.format(
            name=name,
            plain=plain,
            parameters=", ".join(values),
            grads=", ".join(inputs_of(self.back, "g")),
            saved=", ".join(values) + ("," if len(values) == 1 else ""),
            backward="\n".join(f"        {line}" for line in self._backward()),
            tangents=", ".join(tangents) + ("," if len(tangents) == 1 else ""),
            jvp="\n".join(f"        {line}" for line in self._jvp(plain)),
            count=len(self.xs),
        )

    def _backward(self) -> list[str]:
        grads = inputs_of(self.back, "g")
        inputs, learned = len(self.xs), len(self.learned)
        lines: list[str] = []
        halves: tuple[str, ...] = ()
        together = (*grads, *self.packed)
        if max(len(grads), inputs) > 1 and len(together) > 1:  # a transform may have batched some of them alone
            lines.append(f"{', '.join(together)} = _alike({', '.join(together)})")
        if self.reduce_back:
            lines.append(f"grads = {call(self.reduce_back, grads)}")
            halves = ("grads",)
        shared = shared_inputs(self.back)
        count = sum(1 for product in self.back.products if is_shared(self.back, product))
        several = f", {one_tuple(['None'] * count)}" if count else ""
        names = "dx, shared" if count else "dx"
        bar = ".conj()" if self.is_complex else ""
        wanted = [f"{x}{bar} if any(ctx.needs_input_grad[{inputs}:]) else None" for x in shared.values()]
        lines.append(f"{names} = {one_tuple(['None'] * inputs)}{several}")
        lines.append(f"if any(ctx.needs_input_grad[:{inputs}]):")
        packed = tuple(f"{w}.conj()" for w in self.packed) if self.is_complex else self.packed
        lines.append(f"    {names} = {call(self.run_back, (*grads, *halves, *packed, *wanted))}")
        nothing = ["None"] * len(self.extras)
        if not learned:
            return [*lines, f"return {', '.join(['*dx', *nothing])}{'' if nothing else ','}"]
        here = (call(self.reduce, self.xs),) if self.reduce else ()
        lines.append(f"if any(ctx.needs_input_grad[{inputs}:]):")
        known = ("*shared",) if count else ()
        lines.append(f"    dw = {call(self.weights, (*self.xs, *grads, *here, *halves, *known))}")
        lines.append("else:")
        lines.append(f"    dw = {one_tuple(['None'] * learned)}")
        return [*lines, f"return {', '.join(['*dx', '*dw', *nothing])}"]

    def _jvp(self, plain: str) -> list[str]:
        """The layer is linear in its inputs and affine in its weights: fixed diagrams do not move with those."""

        def at(*tensors: str) -> str:
            given = f"*_alike({', '.join(tensors)})" if len(tensors) > 1 else tensors[0]
            return f"{plain}({', '.join([given, *self.extras])})"

        still = [f"torch.zeros_like({bias})" for bias in self.biases]
        moved = at(*(f"d{x}" for x in self.xs), *self.packed, *still)
        if not self.learned:
            return [f"return {moved}"]
        mixed = at(*self.xs, *(f"d{value}" for value in self.learned))
        lines = [f"moved = {moved}", f"mixed = {mixed}"]
        if not self.plan.directs:
            return [*lines, "return tuple(a + b for a, b in zip(moved, mixed))"]
        unmoved = [f"torch.zeros_like({value})" for value in self.learned]
        return [
            *lines,
            f"fixed = {at(*self.xs, *unmoved)}",
            "return tuple(a + b - c for a, b, c in zip(moved, mixed, fixed))",
        ]


def call(function: Function, tensors: tuple[str, ...]) -> str:
    """A call of a function with tensors and the extras that it takes."""
    return f"{function.name}({', '.join((*tensors, *function.extras))})"
