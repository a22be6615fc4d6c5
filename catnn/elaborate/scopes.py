"""What names mean in a file: its spaces, sizes and definitions, and the messages for names that mean nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from catnn.activations import ACTIVATIONS, AXIS_FUNCTIONS
from catnn.category.diagram import Morphism
from catnn.category.families import FAMILIES
from catnn.category.wires import Type, Wire, Word, show_word
from catnn.diagnostics import Span
from catnn.elaborate.aliases import function_as
from catnn.elaborate.report import Report, listed
from catnn.model import Layer, Network
from catnn.program import Tensor
from catnn.syntax import nodes

if TYPE_CHECKING:
    from catnn.hypergraph.box import Box
    from catnn.hypergraph.linear import Combination
    from catnn.rewrite.rule import Law

GENERATORS = (
    "id", "swap", "perm", "merge", "copy", "unit", "discard", "spider", "ev", "coev", "cap", "cup", "eps", "adj",
)  # fmt: skip
KEYWORDS = (
    "space", "let", "layer", "network", "box", "rule", "check", "import", "as", "return", "all", "span", "bias", "sgn",
)  # fmt: skip
RESERVED = frozenset((*GENERATORS, *KEYWORDS, *ACTIVATIONS, *AXIS_FUNCTIONS, "Sym"))
"""Names that no file may define."""

LEARNED = ("all", "bias", "span")
"""What makes weights, offered where a name is unknown."""

RESERVED_SIZES = frozenset({"batch", "target", "device", "dtype", "generator", "mask", "full", "repeat", "seconds"})
"""Keywords of `catnn.compile`, `explain` and `bench` and of the modules, which sizes share."""


@dataclass(frozen=True)
class Entry:
    """A definition: its kind (let, layer, network, box, rule), where it is, its type and its value.

    source, target: None where the type itself was wrong; value: None where the definition failed.  Both keep later
    lines silent about what is not their fault.
    """

    kind: str
    span: Span
    source: Type | None
    target: Type | None
    value: Morphism | Combination | Box | Law | Layer | Network | None

    @property
    def words(self) -> tuple[Word, Word] | None:
        """The words of a let or a box."""
        if self.source is None or self.target is None:
            return None
        return self.source.summands[0].word, self.target.summands[0].word


@dataclass
class Scope:
    """The names of one file while it is being read.

    prefix: ``""``, or the path of aliases by which the file was first imported, such as ``H.``; spaces: wires by name,
    None for those whose declaration failed; places: where each name of the file is written; sizes: where each size
    name first stands; tensors: the numbers of the boxes, by the names of the boxes themselves; products: how many
    products of diagrams its terms have taken; folder: below which files that the text names are found, None for
    nowhere; arities: while a rule is made, the numbers of its variable arities; rules: the rules so far, those of
    imports too; allow_maps: whether boxes may be functions of other packages; effort: how much further than usual to
    search for proofs; spent: the searches that found nothing so far; wide: the ports of wide terms so far; apart:
    whether epsilons that meet stay boxes, for rules to find, instead of being multiplied out.
    """

    report: Report
    max_diagrams: int
    prefix: str = ""
    spaces: dict[str, Wire | None] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)
    places: dict[str, Span] = field(default_factory=dict)
    sizes: dict[str, Span] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    tensors: dict[str, Tensor] = field(default_factory=dict)
    failed_spaces: bool = False
    products: int = 0
    folder: Path | None = None
    arities: dict[str, int] = field(default_factory=dict)
    rules: list[Law] = field(default_factory=list)
    allow_maps: bool = False
    effort: int = 1
    spent: int = 0
    wide: int = 0
    apart: bool = False

    # -------------------------------------------------------------------------------------------------- declaring

    def declare(self, name: nodes.Name) -> bool:
        """Take a name for this file; an error if it is reserved or taken."""
        if name.text in RESERVED or "." in name.text:
            what = "an activation" if name.text in ACTIVATIONS else "a word of the language"
            self.report.error(
                "E0103", f"`{name.text}` is {what}", (name.span, "cannot be defined"), helps=(f"write `{name.text}_`",)
            )
            return False
        if name.text in self.places:
            first = self.places[name.text]
            self.report.error(
                "E0102",
                f"`{name.text}` is defined twice",
                (name.span, "defined again"),
                (first, "first defined here"),
                notes=("spaces, diagrams, layers, networks and imports share their names",),
            )
            return False
        self.places[name.text] = name.span
        return True

    def is_broken(self, name: str) -> bool:
        """Whether a qualified name belongs to an import that failed."""
        return name.partition(".")[0] in self.broken

    # ------------------------------------------------------------------------------------------------------ looking up

    @property
    def wires(self) -> tuple[Wire, ...]:
        """The spaces whose declarations hold."""
        return tuple(wire for wire in self.spaces.values() if wire is not None)

    @property
    def only_space(self) -> Wire | None:
        """The space of the file, if it has exactly one."""
        wires = {*self.wires}
        return next(iter(wires)) if len(wires) == 1 and not self.failed_spaces else None

    @property
    def is_complex(self) -> bool:
        """Whether its layers are complex: one of its spaces is."""
        return any(FAMILIES[wire.group.family].oriented for wire in self.wires)

    def space(self, name: nodes.Name) -> Wire | None:
        """The wire of a name in a type, or None once the fault is reported."""
        if name.text in self.spaces:
            return self.spaces[name.text]
        if self.is_broken(name.text):
            return None
        if name.text in self.places:
            message = f"`{name.text}` is no space"
            self.report.error("E0107", message, (name.span, "a type is made of spaces"),
                              (self.places[name.text], "defined here"))  # fmt: skip
            return None
        if not (self.failed_spaces and not self.spaces):
            known = listed(self.spaces) if self.spaces else "nothing"
            self.report.error(
                "E0101",
                f"there is no space `{name.text}`",
                (name.span, "unknown space"),
                notes=(f"the spaces are: {known}",),
                helps=self._power(name.text)
                or self.report.nearest(name.text, self.spaces)
                or (f"declare it: `space {name.text} : S(n)`",),
            )
        return None

    def _power(self, name: str) -> tuple[str, ...]:
        """A help for `V2`, which is likely to mean a power."""
        base = name.rstrip("0123456789")
        return (
            (f"a tensor power is written `{base}^{name[len(base) :]}`",) if name != base and base in self.spaces else ()
        )

    def is_size(self, name: str) -> bool:
        """Whether a name alone is a size, and so a number."""
        return name in self.sizes and name not in self.places

    def entry(self, name: nodes.Name) -> Entry | None:
        """The definition of a name in a term, or None once the fault is reported."""
        text = name.text
        if text in self.entries:
            return self.entries[text]
        if self.is_broken(text):
            return None
        if text in self.spaces or (text in self.sizes and text not in self.places):
            what = "space" if text in self.spaces else "size"
            helps = (f"the identity of the wire is `id[{text}]`",) if what == "space" else ()
            self.report.error("E0107", f"`{text}` is a {what}, not a diagram", (name.span, "expected a term"),
                              helps=helps)  # fmt: skip
        elif text in self.places and self.places[text].start <= name.span.start:
            message = f"`{text}` uses itself"
            self.report.error("E0105", message, (name.span, "used here"), (self.places[text], "defined here"),
                              notes=("a definition uses what stands above it; there is no recursion",))  # fmt: skip
        elif text in self.places:
            self.report.error("E0104", f"`{text}` is used before its definition", (name.span, "used here"),
                              (self.places[text], "defined here"),
                              helps=("move the definition up",))  # fmt: skip
        else:
            known = (*self.entries, *GENERATORS, *ACTIVATIONS, *LEARNED)
            self.report.error("E0101", f"there is no `{text}`", (name.span, "unknown name"),
                              notes=(f"defined so far: {listed(self.entries)}",),
                              helps=function_as(text) or self.report.nearest(text, known))  # fmt: skip
        return None

    # ------------------------------------------------------------------------------------------------------ spelling

    def local(self, name: str) -> str:
        """The name of a definition in this file."""
        return name.removeprefix(self.prefix)

    def show_word(self, word: Word) -> str:
        """A word in the names of this file."""
        return show_word(tuple(self._local(wire) for wire in word))

    def show_type(self, type_: Type) -> str:
        """A type in the names of this file."""
        summands = (replace(s, word=tuple(self._local(w) for w in s.word)) for s in type_.summands)
        return str(Type(tuple(summands)))

    def foreign(self, declared: Type, found: Type) -> tuple[str, ...]:
        """A help where two types differ only in the files that declare their spaces."""
        shown = [self.show_type(type_) for type_ in (declared, found)]
        bare = [re.sub(r"(\w+\.)+", "", text) for text in shown]
        if shown[0] == shown[1] or bare[0] != bare[1]:
            return ()
        return (f"a space of an imported file is not one of this file: write `{shown[1]}`",)

    def show_arrow(self, source: Word, target: Word) -> str:
        """``V^2 -> V``."""
        return f"{self.show_word(source)} -> {self.show_word(target)}"

    def _local(self, wire: Wire) -> Wire:
        name = wire.space.removeprefix(self.prefix)
        if self.spaces.get(name) == wire.base:
            return replace(wire, space=name)
        found = next((name for name, known in self.spaces.items() if known == wire.base), wire.space)
        return replace(wire, space=found)
