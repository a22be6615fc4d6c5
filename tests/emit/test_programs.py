"""Point-ful networks as modules: against their definition, with masks, and all that people do with a module."""

from __future__ import annotations

import copy
import io
import pickle
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, einsum

import catnn
from catnn.compiler import generate

DOUBLE = torch.float64
SPACES = "space V : S(n)  space R : O(3)  space T : SO(3)  space D : 4  space E : 3\n"
SIZES = {"n": 5}

SPECS = {
    "boxes": """
        box W : D -> E  box K : E -> D { rank: 2 }
        network f(x: V @ D, y: V @ E) -> V @ D, V^2 {
          h = relu([i d, e d -> i e](x, W) + y)
          return (id[V] @ K)(h), [i d, j e, d e -> i j](x, y, K)
        }""",
    "attention": """
        layer q : V[3] -> V[4] = all + bias  layer k = q
        network f(x: V[3], p: V @ R) -> V[4], V @ R {
          s = softmax[j]([i, j -> i j](q(x), k(x)))
          t = s + [i r, j r -> i j](p, p)
          return [i j, j -> i](t, q(x)), [i j, j r -> i r]([i r, j r -> i j](p, p), p)
        }""",
    "norms": """
        network f(x: V^2[2], p: V @ R[2]) -> V^2[2], V @ R[2] {
          a = layer_norm[0](sigmoid(x))
          b = rms_norm[0,1](x)
          return a - (1/n) * b, rms_norm[R](p)
        }""",
    "cross": """
        network f(x: V @ T[2], y: T[2], s: V) -> V @ T[2], V[2], V^2 {
          return [i a, b -> i c](x, y), [i a, b, c -> i](x, y, y), [i -> i i](exp(s)) + [i -> i j](s)
        }""",
    "calls": """
        layer mix : V^2[2] + V[3] -> V[2] + 1[2] = all + bias
        network g(a: V[2], b: 1[2]) -> V[2] { return [i, -> i](a, b) + (relu ; id)(a) }
        network f(x: V^2[2], y: V[3]) -> V[2], 1[2] {
          a, b = mix(x, y)
          c = g(a, gate(b))
          return g(c, b), 1/2 * b - (n/3) * b
        }""",
    "direct sums": """
        layer up : V[2] -> V^2[2] + 1[3] = all
        network f(x: V[2] + 1[3]) -> V^2[2] + 1[3] {
          v, u = x
          s = up(tanh(v))
          a, b = s
          return a + [i, j -> i j](v, v), b + u
        }""",
}


def build(name: str, **options: Any) -> tuple[Any, Any]:
    item = catnn.parse(SPACES + SPECS[name])["f"]
    torch.manual_seed(0)
    module = catnn.compile(item, **{"dtype": DOUBLE, **options})
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn_like(parameter) / 2)
    return item, module


def inputs(
    item: Any, batch: tuple[int, ...] = (2,), n: int = 5, dtype: torch.dtype = DOUBLE, seed: int = 1
) -> list[Any]:
    """Random arguments; a tuple for a direct sum."""
    torch.manual_seed(seed)
    found = []
    for parameter in item.program.parameters:
        tensors = tuple(
            torch.randn(*batch, *(n if w.group.size == "n" else w.group.size for w in s.word), s.channels, dtype=dtype)
            for s in parameter.type.summands
        )
        found.append(tensors if len(tensors) > 1 else tensors[0])
    return found


def flat(values: Any) -> list[Tensor]:
    return [t for v in values for t in flat(v)] if isinstance(values, (tuple, list)) else [values]


def leaves(args: list[Any]) -> list[Any]:
    def leaf(x: Any) -> Any:
        return tuple(leaf(v) for v in x) if isinstance(x, tuple) else x.clone().requires_grad_()

    return [leaf(x) for x in args]


def gradients(module: Any, args: list[Any], **options: Any) -> tuple[list[Tensor], list[Tensor]]:
    args = leaves(args)
    ys = flat(module(*args, **options))
    total = sum(
        (y * torch.linspace(-1, 1, max(y.numel(), 1), dtype=y.dtype)[: y.numel()].reshape(y.shape)).sum() for y in ys
    )
    wrt = flat(args) + list(module.parameters())
    return ys, list(torch.autograd.grad(total, wrt, allow_unused=True, materialize_grads=True))


def assert_close(one: Any, other: Any, **tolerance: float) -> None:
    for a, b in zip(flat(one), flat(other), strict=True):
        torch.testing.assert_close(a, b, **tolerance)


# ------------------------------------------------------------------------------------------------------- definitions


def test_boxes_are_what_they_say() -> None:
    _, module = build("boxes")
    x, y = torch.randn(2, 5, 4, 1, dtype=DOUBLE), torch.randn(2, 5, 3, 1, dtype=DOUBLE)
    h, K = torch.relu(x[..., 0] @ module.W.T + y[..., 0]), module.K_out @ module.K_in
    first, second = module(x, y)
    assert_close(first[..., 0], h @ K.T)
    assert_close(second[..., 0], einsum("bid,bje,de->bij", x[..., 0], y[..., 0], K))
    assert {k: tuple(v.shape) for k, v in module.state_dict().items()} == {"W": (3, 4), "K_out": (4, 2), "K_in": (2, 3)}


def test_the_cross_product() -> None:
    _, module = build("cross")
    x, y, s = (
        torch.randn(2, 5, 3, 2, dtype=DOUBLE),
        torch.randn(2, 3, 2, dtype=DOUBLE),
        torch.randn(2, 5, 1, dtype=DOUBLE),
    )
    a, b, c = module(x, y, s)
    wide = y.unsqueeze(1).expand_as(x)
    assert_close(a, torch.linalg.cross(x, wide, dim=2))
    assert_close(b, torch.zeros_like(b))
    assert_close(c[..., 0], torch.diag_embed(s[..., 0].exp()) + s.expand(2, 5, 5))


def test_norms_and_softmax() -> None:
    _, module = build("norms")
    x, p = torch.randn(2, 5, 5, 2, dtype=DOUBLE), torch.randn(2, 5, 3, 2, dtype=DOUBLE)
    a, b = module(x, p)
    s = x.sigmoid()
    s = (s - s.mean(1, keepdim=True)) / (s.var(1, correction=0, keepdim=True) + 1e-5).sqrt()
    assert_close(a, s - x / (x.square().mean((1, 2), keepdim=True) + 1e-5).sqrt() / 5)
    assert_close(b, p / (p.square().mean(2, keepdim=True) + 1e-5).sqrt())


def test_forms_of_other_groups() -> None:
    """A pairing in one row is the form of its group: Omega, a metric."""
    text = """space P : Sp(m)  space L : O(1,3)
        network f(x: P, y: P, u: L, v: L) -> 1, 1 { return [i, i ->](x, y), ev(u, v) }"""
    module = catnn.compile(catnn.parse(text)["f"], dtype=DOUBLE)
    x, y, u, v = (torch.randn(3, k, 1, dtype=DOUBLE) for k in (4, 4, 4, 4))
    first, second = module(x, y, u, v)
    assert_close(first, x[:, 0] * y[:, 1] - x[:, 1] * y[:, 0] + x[:, 2] * y[:, 3] - x[:, 3] * y[:, 2])
    assert_close(second, u[:, 0] * v[:, 0] - (u[:, 1:] * v[:, 1:]).sum(1))


JELLYFISH = [("A(3)", "sgn[i, j -> k]"), ("A(3)", "[i, i -> i]"), ("A(4)", "sgn[i, j -> k]"),
             ("Perm(3, (0 1 2))", "[0, 1 -> 2]")]  # fmt: skip


@pytest.mark.parametrize(("group", "pattern"), JELLYFISH)
def test_groups_whose_diagrams_are_more_than_equalities(group: str, pattern: str) -> None:
    """Jellyfish and orbits: as the layer of the same diagram on the product."""
    spec = catnn.parse(f"""space V : {group}  layer g : V^2[2] -> V[2] = {pattern.replace(",", "")}
        network f(x: V[2], y: V[2]) -> V[2] {{ return {pattern}(x, y) }}""")
    n = int(group.split("(")[1][0])
    x, y = torch.randn(2, n, 2, dtype=DOUBLE), torch.randn(2, n, 2, dtype=DOUBLE)
    layer, module = catnn.compile(spec["g"], dtype=DOUBLE), catnn.compile(spec["f"], dtype=DOUBLE)
    assert_close(module(x, y), layer(einsum("bic,bjc->bijc", x, y)))


def test_complex_values() -> None:
    text = """space V : U(n)  layer a : V[2] -> V[2] = all
        network f(x: V[2], y: V'[2]) -> 1[2] { return [i, i ->](a(x), y) }"""
    module = catnn.compile(catnn.parse(text)["f"], dtype=DOUBLE)
    x, y = torch.randn(2, 4, 2, dtype=torch.complex128), torch.randn(2, 4, 2, dtype=torch.complex128)
    assert_close(module(x, y), (module.a(x) * y).sum(1))
    with pytest.raises(ValueError, match="complex"):
        module(x.real, y)


@pytest.mark.parametrize("attribute", ["symmetric: inputs", "symmetric: both", "adjoint: self"])
def test_promises_are_kept_by_learned_tensors(attribute: str) -> None:
    target = "D" if attribute == "symmetric: inputs" else "D @ D"
    axes = "d e f" if target == "D" else "d g e f"
    text = f"space D : 3  box W : D @ D -> {target} {{ {attribute} }}  network f() -> {target} @ D @ D {{ return W }}"
    tensor = catnn.compile(catnn.parse(text)["f"], dtype=DOUBLE)()[..., 0]
    assert axes
    if attribute.startswith("symmetric"):
        assert_close(tensor, tensor.transpose(-1, -2))
    if attribute == "symmetric: both":
        assert_close(tensor, tensor.transpose(0, 1))
    if attribute.startswith("adjoint"):
        assert_close(tensor, tensor.permute(2, 3, 0, 1))


def test_shared_weights() -> None:
    text = """space D : 3  box W : D -> D  box U : D -> D { share: W }  box Z : D -> D { init: zeros }
        network f(x: D) -> D { return U(W(x)) + Z(x) }"""
    module = catnn.compile(catnn.parse(text)["f"], dtype=DOUBLE)
    assert set(module.state_dict()) == {"W", "Z"}
    x = torch.randn(2, 3, 1, dtype=DOUBLE)
    assert_close(module(x)[..., 0], x[..., 0] @ (module.W @ module.W).T)


def test_the_same_is_computed_once() -> None:
    text = """space V : S(n)  layer q : V[2] -> V[2] = all
        network f(x: V[2], y: V[2]) -> V^2[2], V^2[2] { return [i, j -> i j](q(x), y), [a, b -> a b](q(x), y) }"""
    source = catnn.compile(catnn.parse(text)["f"]).source
    assert source.count("self.q(") == 1
    assert source[source.index("class F(") :].count(" * ") == 1


@pytest.mark.parametrize("second", ["W(y, x)", "[e c d, d, c -> e](W, x, y)", "[e d c, c, d -> e](W, x, y)"])
def test_what_is_equal_by_a_symmetry_of_a_box_is_computed_once(second: str) -> None:
    text = """space D : 4  space E : 3  box W : D @ D -> E { symmetric: inputs }
        network f(x: D, y: D) -> E, E { return W(x, y), SECOND }""".replace("SECOND", second)
    module = catnn.compile(catnn.parse(text)["f"], dtype=DOUBLE)
    body = module.source[module.source.index("class F(") :]
    assert body.count(" @ ") == 2
    x, y = torch.randn(2, 4, 1, dtype=DOUBLE), torch.randn(2, 4, 1, dtype=DOUBLE)
    w = (module.W + module.W.transpose(1, 2)) / 2
    expected = einsum("edc,bd,bc->be", w, x[..., 0], y[..., 0])[..., None]
    assert_close(module(x, y), (expected, expected))
    plain = catnn.compile(catnn.parse(text.replace(" { symmetric: inputs }", ""))["f"], dtype=DOUBLE)
    same = second == "[e d c, c, d -> e](W, x, y)"
    a, b = plain(x, y)
    assert not torch.allclose(a, b) or not same


def test_factors_that_are_one_tensor_are_copied_once() -> None:
    text = "space N : S(n)  network f(x: N^2[3]) -> N^2[3] { return [i j, j k -> i k](x, x) }"
    item = catnn.parse(text)["f"]
    lines = generate(catnn.parse(text)).text.partition("class F(")[2].splitlines()
    assert [line.split("#")[0].strip() for line in lines if ".contiguous()" in line] == [
        "z = x.permute(0, 3, 1, 2).contiguous()"
    ]
    x = torch.randn(2, 5, 5, 3, dtype=DOUBLE)
    torch.testing.assert_close(catnn.compile(item, dtype=DOUBLE)(x), einsum("bijc,bjkc->bikc", x, x))


def test_a_network_of_several_values_inside_a_pipeline() -> None:
    text = (
        SPACES
        + """layer mix : V^2[2] + V[3] -> V[2] + 1[2] = all + bias
        network g(a: V[2], b: 1[2]) -> V[2] { return [i, -> i](a, b) }
        network f : V^2[2] + V[3] -> V[2] = mix ; g ; relu"""
    )
    spec = catnn.parse(text)
    module = catnn.compile(spec["f"], dtype=DOUBLE)
    x, y = torch.randn(2, 5, 5, 2, dtype=DOUBLE), torch.randn(2, 5, 3, dtype=DOUBLE)
    a, b = module.mix((x, y))
    assert_close(module((x, y)), torch.relu(a * b.unsqueeze(1)))


# ------------------------------------------------------------------------------------------------ sizes, batches, masks


@pytest.mark.parametrize("name", SPECS)
@pytest.mark.parametrize("batch", [(), (0,), (3, 2)], ids=str)
def test_batches(name: str, batch: tuple[int, ...]) -> None:
    item, module = build(name)
    args = inputs(item, batch)
    ys = flat(module(*args))
    assert all(tuple(y.shape[: len(batch)]) == batch for y in ys)
    if batch == (3, 2):
        alone = flat(module(*[tuple(t[1, 1] for t in x) if isinstance(x, tuple) else x[1, 1] for x in args]))
        assert_close([y[1, 1] for y in ys], alone)


@pytest.mark.parametrize("name", SPECS)
@pytest.mark.parametrize("n", [0, 1])
def test_small_sizes(name: str, n: int) -> None:
    item, module = build(name)
    ys, grads = gradients(module, inputs(item, n=n))
    assert all(torch.isfinite(t).all() for t in (*ys, *grads))


@pytest.mark.parametrize("name", SPECS)
def test_an_input_without_batch_is_one_for_all(name: str) -> None:
    item, module = build(name)
    args = inputs(item)
    if len(args) == 1:
        return
    shared = inputs(item, ())[-1]
    args[-1] = shared
    whole = [
        *args[:-1],
        tuple(t.expand(2, *t.shape) for t in shared) if isinstance(shared, tuple) else shared.expand(2, *shared.shape),
    ]
    assert_close(module(*args), module(*whole))


@pytest.mark.parametrize("name", SPECS)
def test_masks(name: str) -> None:
    """Padded entries are what they would be alone, whatever stands in the padding, and so are the gradients."""
    item, module = build(name)
    real = torch.tensor([[1, 1, 0, 1, 0], [1, 1, 1, 1, 1], [0, 0, 1, 0, 0], [0, 0, 0, 0, 0]]).bool()
    args = inputs(item, (4,))
    ys, grads = gradients(module, args, mask={"V": real})
    assert all(torch.isfinite(g).all() for g in grads)
    values = [s for parameter in item.program.parameters for s in parameter.type.summands]
    targets = [s for target in item.program.targets for s in target.summands]
    for entry in range(3):
        keep = real[entry]

        def cut(x: Tensor, summand: Any, keep: Tensor = keep) -> Tensor:
            for axis, wire in enumerate(summand.word):
                if wire.space == "V":
                    x = x.index_select(axis, keep.nonzero()[:, 0])
            return x

        pieces = iter(values)
        alone = [
            tuple(cut(t[entry], next(pieces)) for t in x) if isinstance(x, tuple) else cut(x[entry], next(pieces))
            for x in args
        ]
        expected = flat(module(*alone))
        assert_close([cut(y[entry], s) for y, s in zip(ys, targets, strict=True)], expected)
        for y, summand in zip(ys, targets, strict=True):
            for axis, wire in enumerate(summand.word):
                if wire.space == "V":
                    assert not y[entry].movedim(axis, 0)[~keep].any()


def test_a_mask_for_one_space() -> None:
    text = "space V : S(n)  space D : 3  network f(x: V @ D) -> D { return [i d -> d](x) }"
    module = catnn.compile(catnn.parse(text)["f"])
    x = torch.randn(2, 4, 3, 1)
    real = torch.tensor([[1, 1, 0, 0], [1, 1, 1, 1]]).bool()
    assert_close(module(x, mask=real), (x * real[..., None, None]).sum(1))


def test_wrong_inputs_are_told() -> None:
    item, module = build("attention")
    x, p = inputs(item)
    for args, message in (
        ((x[..., :2], p), r"f: expected \(\*batch, n, 3\) as input 0, got \(2, 5, 2\)"),
        ((x, p[:, :4]), "axis 1 has length 4|differs"),
        ((x.float(), p.float()), "expected torch.float64 like its weights|got torch.float32"),
        ((x, None), "expected a tensor"),
    ):
        with pytest.raises(ValueError, match=message):
            module(*args)
    with pytest.raises(ValueError, match="R takes no mask"):
        module(x, p, mask={"R": torch.ones(2, 3).bool()})
    text = "space V : S(n)  space W : S(m)  network f(x: V, y: W) -> V @ W { return [i, j -> i j](x, y) }"
    with pytest.raises(ValueError, match="dict by space"):
        catnn.compile(catnn.parse(text)["f"])(torch.ones(2, 5, 1), torch.ones(2, 4, 1), mask=torch.ones(2, 5).bool())
    with pytest.raises(ValueError, match="there is no space 'M' to mask; the spaces that take a mask: "):
        module(x, p, mask={"M": torch.ones(2, 5).bool()})


# ---------------------------------------------------------------------------------------------------- using a module


@pytest.mark.parametrize("name", SPECS)
def test_copies_and_state(name: str, tmp_path: Path) -> None:
    item, module = build(name)
    args = inputs(item)
    expected = module(*args)
    buffer = io.BytesIO()
    torch.save(module.state_dict(), buffer)
    buffer.seek(0)
    other = catnn.compile(item, dtype=DOUBLE)
    other.load_state_dict(torch.load(buffer, weights_only=True))
    for same in (other, copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert_close(same(*args), expected)
    assert set(module.state_dict()) == {key for key, _ in module.named_parameters()}


@pytest.mark.parametrize("name", SPECS)
def test_the_drawing_repeats(name: str) -> None:
    item = catnn.parse(SPACES + SPECS[name])["f"]
    torch.manual_seed(3)
    first = catnn.compile(item).state_dict()
    generator = torch.Generator().manual_seed(3)
    second = catnn.compile(item, generator=generator).state_dict()
    assert all(torch.equal(first[key], second[key]) for key in first)


@pytest.mark.parametrize("name", SPECS)
def test_gradcheck(name: str) -> None:
    item, module = build(name)
    args = leaves(inputs(item, (2,), n=3))
    pieces = flat(args)

    def function(*tensors: Tensor) -> tuple[Tensor, ...]:
        supply = iter(tensors)
        again = [tuple(next(supply) for _ in x) if isinstance(x, tuple) else next(supply) for x in args]
        return tuple(flat(module(*again)))

    torch.autograd.gradcheck(function, pieces)


@pytest.mark.parametrize("name", SPECS)
def test_vmap(name: str) -> None:
    item, module = build(name)
    args = inputs(item, (3,))
    assert_close(torch.func.vmap(lambda *a: module(*a))(*args), module(*args))


@pytest.mark.parametrize("name", SPECS)
def test_autocast(name: str) -> None:
    item, module = build(name, dtype=torch.float32)
    args = inputs(item, dtype=torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        ys = module(*args)
    assert_close([y.float() for y in flat(ys)], flat(module(*args)), rtol=0.2, atol=0.3)


@pytest.mark.slow
@pytest.mark.parametrize("name", SPECS)
def test_compile(name: str) -> None:
    item, module = build(name)
    torch._dynamo.reset()
    compiled = torch.compile(module, fullgraph=True, dynamic=True, backend="aot_eager")
    for n in (5, 3):
        args = inputs(item, n=n)
        assert_close(gradients(compiled, args), gradients(module, args))


@pytest.mark.slow
@pytest.mark.parametrize("name", SPECS)
def test_export(name: str) -> None:
    item, module = build(name)
    args = inputs(item)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.export.export(module, tuple(args))
    assert_close(program.module()(*args), module(*args))


@pytest.mark.parametrize("name", SPECS)
def test_the_file_stands_alone(name: str, tmp_path: Path) -> None:
    """What `catnn compile` writes is the same network, and imports torch alone."""
    spec = catnn.parse(SPACES + SPECS[name])
    generated = generate(spec)
    namespace: dict[str, Any] = {"__name__": "generated"}
    exec(compile(generated.text, "generated", "exec"), namespace)
    module = namespace[generated.classes["f"]](dtype=DOUBLE)
    item, other = build(name)
    module.load_state_dict(other.state_dict())
    args = inputs(item)
    assert_close(module(*args), other(*args))
    assert generated.text == generate(catnn.parse(SPACES + SPECS[name])).text


# --------------------------------------------------------------------------------------------------------- pipelines


def test_boxes_in_a_pipeline() -> None:
    """A box is a stage, alone or in a diagram; named twice it is one tensor."""
    text = """space V : S(n)  space D : 4  box W : D -> D  box K : D -> D { rank: 2 }
        layer mix : V @ D[2] -> V @ D[2] = all
        network f : V @ D[2] -> V @ D[2] = id[V] @ W ; relu ; (mix + 1/2 * id) ; (id[V] @ (K ; W))"""
    module = catnn.compile(catnn.parse(text)["f"], dtype=DOUBLE)
    assert {key.partition(".")[0] for key in module.state_dict()} == {"W", "K_out", "K_in", "mix"}
    x = torch.randn(2, 5, 4, 2, dtype=DOUBLE)
    y = torch.relu(einsum("ed,bidc->biec", module.W, x))
    y = einsum("fd,bidc->bifc", module.W @ module.K_out @ module.K_in, module.mix(y) + y / 2)
    assert_close(module(x), y)


@pytest.mark.parametrize("name", SPECS)
def test_all_arguments_as_one_tuple(name: str) -> None:
    item, module = build(name)
    args = inputs(item)
    if len(args) > 1:
        assert_close(module(tuple(flat(args))), module(*args))
    with pytest.raises((ValueError, TypeError)):
        module(*args[:-1])


SUMS = catnn.parse("""
space A : 5
space B : 4
box up : B -> A { rank: 2 }
box left : B -> A
box right : B -> B
network one(w: A @ B) -> A @ B { return w + up }
network other(w: A @ B) -> A @ B { return up + w }
network made(w: A @ B) -> A @ B { d = [a b, b c -> a c](left, right); return d + w }
network twice(w: A @ B) -> A @ B { d = [a b, b c -> a c](left, right); return w + d + [a b, a b -> a b](d, w) }
network less(w: A @ B) -> A @ B { return w - up }
network wide(w: A @ B[3]) -> A @ B[3] { return w + up }
network both(w: A @ B) -> A @ B, A @ B { return w + up, up + w }
""")


@pytest.mark.parametrize("name", SUMS.networks)
@pytest.mark.parametrize("batch", [(), (1,), (3,), (0,), (2, 1)])
def test_sums_with_products_of_boxes(name: str, batch: tuple[int, ...]) -> None:
    """`x + a @ b` is one step where that is possible, and the same in any case, with its gradient."""
    module = catnn.compile(SUMS[name], dtype=torch.float64)
    w = torch.randn(*batch, 5, 4, 3 if name == "wide" else 1, dtype=torch.float64, requires_grad=True)
    weights = dict(module.named_parameters())
    pair = (weights["up_out"], weights["up_in"]) if "up_in" in weights else (weights["left"], weights["right"])
    product = (pair[0] @ pair[1]).unsqueeze(-1)
    wanted = {"less": w - product, "twice": w + product + product * w}.get(name, w + product)
    found = module(w)
    for y in found if isinstance(found, tuple) else (found,):
        torch.testing.assert_close(y, wanted.expand_as(y))
        factor = torch.arange(y.numel()).reshape(y.shape)
        sums = (y * factor).sum(), (wanted * factor).sum()
        torch.testing.assert_close(*(torch.autograd.grad(z, (w, *pair), retain_graph=True) for z in sums))
    fused = "_added(" in module.source[module.source.index("def forward(self, w") :]
    assert fused == (name in ("one", "other", "made"))


def test_a_fused_sum_keeps_its_dtype_under_autocast_and_compiles() -> None:
    module = catnn.compile(SUMS["one"])
    w = torch.randn(5, 4, 1)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert module(w).dtype == torch.float32
    program = torch.export.export(module, (torch.randn(1, 5, 4, 1),), strict=False).module()
    torch.testing.assert_close(program(w.unsqueeze(0)), module(w.unsqueeze(0)))


def test_functions_along_axes_are_stages_too() -> None:
    """`softmax[N]` between stages does what it does in a call, with masks."""
    spec = catnn.parse("""
        space V : S(n)
        space N : S(m)
        layer f : V @ N[2] -> V @ N[3] = all + bias
        network a : V @ N[2] -> V @ N[3] = f ; softmax[N] ; tanh
        network b(x: V @ N[2]) -> V @ N[3] { return tanh(softmax[N](f(x))) }
        network c : V @ N[2] -> V @ N[2] = (softmax[N] + 2 * layer_norm[0]) ; (id + relu)
        network d(x: V @ N[2]) -> V @ N[2] { y = softmax[N](x) + 2 * layer_norm[0](x); return y + relu(y) }
        network e : V[2] -> V[2] = softmax
    """)
    x, mask = torch.randn(3, 4, 5, 2), {"N": torch.arange(5) < torch.tensor([[5], [3], [1]])}
    for one, other in ("ab", "cd"):
        modules = [catnn.compile(spec[name]) for name in (one, other)]
        modules[1].load_state_dict(modules[0].state_dict())
        for options in ({}, {"mask": mask}):
            torch.testing.assert_close(*(module(x, **options) for module in modules))
    torch.testing.assert_close(catnn.compile(spec["e"])(x[:, :, 0]), x[:, :, 0].softmax(1))
    for text, code, help_ in (
        ("network g : V @ V[2] -> V @ V[2] = softmax", "E0316", "`softmax[1]`"),
        ("let g : V -> V = softmax", "E0308", "`network f : A -> B = g ; softmax[V]`"),
        ("layer g : V -> V = all + softmax[V]", "E0308", "`network f : A -> B = g ; softmax[V]`"),
    ):
        with pytest.raises(catnn.CatnnError) as error:
            catnn.parse("space V : S(n) " + text)
        assert (error.value.diagnostics[0].code, error.value.diagnostics[0].helps[0]) == (code, help_)
