"""The functions a network may use between its layers: what each is, and how it is written in torch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Activation:
    """A function on tensors.

    kind: ``any``, ``odd`` or ``linear`` for pointwise functions (what `Family.commutes_with` asks), or ``norm`` for
    those that scale a tensor by a function of its norm; keeps_zero: whether f(0) = 0, so that padding stays 0;
    torch: how it is written, or "" for those that are parts of generated files.
    on_complex: whether it is one on complex numbers, too.
    """

    name: str
    kind: str
    keeps_zero: bool
    torch: str
    meaning: str

    @property
    def on_complex(self) -> bool:
        return self.kind == "norm" or self.name in ENTIRE


ENTIRE = frozenset({"square", "exp", "cos", "tanh", "sin", "cube"})
"""Pointwise functions given by a power series, which complex numbers have as well."""

ACTIVATIONS: dict[str, Activation] = {
    activation.name: activation
    for activation in (
        Activation("relu", "any", True, "torch.relu({})", "max(x, 0)"),
        Activation("leaky_relu", "any", True, "nn.functional.leaky_relu({})", "x if x > 0 else x/100"),
        Activation("elu", "any", True, "nn.functional.elu({})", "x if x > 0 else exp(x) - 1"),
        Activation("gelu", "any", True, "nn.functional.gelu({})", "x Phi(x), Phi the normal distribution"),
        Activation("silu", "any", True, "nn.functional.silu({})", "x sigmoid(x)"),
        Activation("abs", "any", True, "torch.abs({})", "|x|"),
        Activation("square", "any", True, "torch.square({})", "x^2"),
        Activation("sigmoid", "any", False, "torch.sigmoid({})", "1/(1 + exp(-x))"),
        Activation("softplus", "any", False, "nn.functional.softplus({})", "log(1 + exp(x))"),
        Activation("exp", "any", False, "torch.exp({})", "exp(x)"),
        Activation("cos", "any", False, "torch.cos({})", "cos(x)"),
        Activation("tanh", "odd", True, "torch.tanh({})", "tanh(x)"),
        Activation("sin", "odd", True, "torch.sin({})", "sin(x)"),
        Activation("cube", "odd", True, "{} ** 3", "x^3"),
        Activation("softsign", "odd", True, "nn.functional.softsign({})", "x/(1 + |x|)"),
        Activation("gate", "norm", True, "", "x sigmoid(m), m the mean of x^2 over the axes of the word"),
        Activation("norm_relu", "norm", True, "", "x max(r - 1, 0)/r, r^2 the mean of x^2 over the axes of the word"),
    )
}


@dataclass(frozen=True, slots=True)
class AxisFunction:
    """A function along one axis of a tensor, the other axes and the channels apart.

    part: the part of generated files that computes it.
    """

    name: str
    part: str
    meaning: str


AXIS_FUNCTIONS: dict[str, AxisFunction] = {
    function.name: function
    for function in (
        AxisFunction("softmax", "_softmax", "exp(x), divided by its sum along the axis"),
        AxisFunction("layer_norm", "_layer_norm", "x minus its mean, divided by the root of the variance + 1e-5"),
        AxisFunction("rms_norm", "_rms_norm", "x divided by the root of the mean of x^2 + 1e-5"),
    )
}


MAPS: dict[str, Activation] = ACTIVATIONS | {
    function.name: function
    for function in (
        Activation("erf", "odd", True, "torch.erf({})", "the error function"),
        Activation("sinh", "odd", True, "torch.sinh({})", "sinh(x)"),
        Activation("asinh", "odd", True, "torch.asinh({})", "asinh(x)"),
        Activation("atan", "odd", True, "torch.atan({})", "atan(x)"),
        Activation("sign", "odd", True, "torch.sign({})", "1, 0 or -1"),
        Activation("log1p", "any", True, "torch.log1p({})", "log(1 + x)"),
        Activation("expm1", "any", True, "torch.expm1({})", "exp(x) - 1"),
        Activation("sqrt", "any", True, "torch.sqrt({})", "the square root"),
        Activation("rsqrt", "any", False, "torch.rsqrt({})", "1 over the square root"),
        Activation("reciprocal", "any", False, "torch.reciprocal({})", "1/x"),
        Activation("log", "any", False, "torch.log({})", "log(x)"),
        Activation("floor", "any", True, "torch.floor({})", "the largest integer that is not larger"),
        Activation("mish", "any", True, "nn.functional.mish({})", "x tanh(softplus(x))"),
        Activation("hardtanh", "odd", True, "nn.functional.hardtanh({})", "x between -1 and 1"),
    )
}
"""What a box may be with `= pointwise`: a whitelist of functions of one number."""


IMPORTABLE: dict[str, str] = {
    {"torch": "torch.", "nn": "torch.nn."}[path.partition(".")[0]] + path.partition(".")[2]: name
    for name, path in ((name, entry.torch.removesuffix("({})")) for name, entry in MAPS.items())
    if path.replace(".", "").isidentifier() and path.startswith(("torch.", "nn."))
}
"""The import paths that a box may have with `= map` without being allowed to, each with the name of its function."""
