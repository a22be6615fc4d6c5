"""Emitted networks with named values read as they were written: what the user named has that name."""

from __future__ import annotations

import ast
import inspect

import torch

import catnn
from catnn.compiler import generate

ATTENTION = """
space N : S(n)
space D : 6
space H : 2
box query, key : D -> H @ D
network attend(x: N @ D, bias_: N) -> N, N^2 @ H {
  q = [i d, h e d -> i h e](x, query)
  k = [j d, h e d -> j h e](x, key)
  s = [i h e, j h e -> i j h](q, k)
  p = softmax[j](1/2 * s)
  z = [i j h -> i](p)
  return tanh(z + bias_), p
}
"""


def assigned(text: str, name: str) -> list[str]:
    """The variables that the forward of a class assigns."""
    (found,) = (node for node in ast.parse(text).body if isinstance(node, ast.ClassDef) and node.name == name)
    (forward,) = (node for node in found.body if isinstance(node, ast.FunctionDef) and node.name == "forward")
    stores = (node for node in ast.walk(forward) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))
    return [node.id for node in sorted(stores, key=lambda node: node.lineno)]


def test_values_have_the_names_that_the_user_gave() -> None:
    text = generate(catnn.parse(ATTENTION)).text
    names = assigned(text, "Attend")
    assert [name for name in names if name in "qkspzy"] == ["q", "k", "s", "p", "z", "y"]
    assert "_softmax" not in next(line for line in text.splitlines() if line.strip().startswith("p = "))  # masked after
    assert "counted = {}" not in text


def test_parameters_are_keywords_as_they_were_written() -> None:
    module = catnn.compile(catnn.parse(ATTENTION)["attend"], n=3)
    assert list(inspect.signature(module.forward).parameters)[:2] == ["x", "bias_"]
    x, bias = torch.randn(2, 3, 6, 1), torch.randn(2, 3, 1)
    named, placed = module(x, bias_=bias), module(x, bias)
    assert all(torch.equal(one, other) for one, other in zip(named, placed, strict=True))
    assert torch.allclose(named[1].sum(2), torch.ones(2, 3, 2, 1))


def test_several_values_of_one_call_are_named_together() -> None:
    text = """
    space V : S(n)
    layer mix : V[2] -> V[2] + 1[3] = all
    network f(x: V[2]) -> V[2], 1[3] { a, b = mix(x); return tanh(a) + x, b }
    """
    spec = catnn.parse(text)
    assert "a, b = x" in generate(spec).text
    x = torch.randn(4, 5, 2)
    module = catnn.compile(spec["f"], n=5)
    first, second = module.mix(x)
    got = module(x)
    assert torch.allclose(got[0], torch.tanh(first) + x)
    assert torch.allclose(got[1], second)


def test_names_that_the_forward_needs_itself_give_way() -> None:
    text = """
    space V : S(n)
    network f(lambda_: V, masks: V) -> V { batch = lambda_ + masks; torch = 2 * batch; return torch + batch }
    """
    module = catnn.compile(catnn.parse(text)["f"], n=4)
    x, y = torch.randn(2, 4, 1), torch.randn(2, 4, 1)
    assert torch.allclose(module(x, y), 3 * (x + y))
    assert next(iter(inspect.signature(module.forward).parameters)) == "lambda_"
