"""Which classes a generated file has, in which order, and what they are called."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count

from catnn.diagnostics import CatnnError, Diagnostic, Label
from catnn.emit.writer import cap_words
from catnn.model import Layer, Network


def needed(items: Iterable[Layer | Network]) -> tuple[list[Layer], list[Network]]:
    """All layers and networks in an order in which each comes after what it uses."""
    layers: dict[int, Layer] = {}
    networks: dict[int, Network] = {}

    def visit(item: Layer | Network) -> None:
        if isinstance(item, Layer):
            layers.setdefault(id(item), item)
            return
        for layer in item.layers:
            visit(layer)
        for network in item.networks:
            visit(network)
        networks.setdefault(id(item), item)

    for item in items:
        visit(item)
    return list(layers.values()), list(networks.values())


def class_names(items: list[Layer | Network]) -> tuple[dict[int, str], dict[str, str]]:
    """The class of each item by identity, and by its name that of the first so called.

    Raises: CatnnError (E1016) where two names would be one class.
    """
    by_id: dict[int, str] = {}
    by_name: dict[str, str] = {}
    owner: dict[str, str] = {}
    taken = {cap_words(item.name) for item in items}
    anonymous = count(1)
    for item in items:
        name = cap_words(item.name)
        if isinstance(item, Layer) and item.name == "fixed":
            name = next(found for at in anonymous if (found := f"Fixed{at}") not in taken)
        if name in owner and owner[name] != item.name:
            raise _clash(name, next(other for other in items if other.name == owner[name]), item)
        while name in owner:  # the same name from two files of an import
            name += "_"
        owner[name] = item.name
        by_id[id(item)] = name
        by_name.setdefault(item.name, name)
    return by_id, by_name


def _clash(name: str, first: Layer | Network, item: Layer | Network) -> CatnnError:
    """Two items whose class would have the name."""
    places = [(item.span, f"the class `{name}` as well"), (first.span, f"the class `{name}`")]
    labels = tuple(Label(span, text) for span, text in places if span is not None)
    message = f"`{first.name}` and `{item.name}` would both be the class `{name}`"
    notes = ("a generated file has a class in CapWords for each layer and network",)
    return CatnnError(Diagnostic("E1016", message, labels, notes, ("rename one of them",)))
