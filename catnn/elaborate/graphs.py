"""Graph files: GraphML and edge lists, read with nothing but expat, small ones only, and nothing outside the folder."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any
from xml.parsers import expat

from catnn.category.graphs import MOST_EDGES, Edge, Graph
from catnn.category.orbital import MOST_POINTS

MOST_BYTES = 1_000_000
COLOURS = ("color", "colour")
"""The names of the attributes of nodes and edges that automorphisms keep."""


class GraphFault(Exception):  # noqa: N818
    """What is wrong with a graph file: its code, the message and a help."""

    def __init__(self, code: str, message: str, help_: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.help = code, message, help_


def load(name: str, folder: Path | None) -> Graph:
    """The graph in a file below a folder.  Raises: GraphFault (E0805, E0806)."""
    path = _allowed(name, folder)
    try:
        if not path.is_file():
            reason = "it is no ordinary file" if path.exists() else "there is no such file"
            raise GraphFault("E0805", f"`{name}` cannot be read: {reason}")
        if path.stat().st_size > MOST_BYTES:
            raise GraphFault("E0805", f"`{name}` is too large: a graph file has at most {MOST_BYTES:,} bytes")
        text = path.read_bytes().decode("utf-8")
    except OSError:
        raise GraphFault("E0805", f"`{name}` cannot be read: it is not a readable file") from None
    except UnicodeDecodeError:
        raise GraphFault("E0806", f"`{name}` is not UTF-8 text") from None
    graphml = text.lstrip("\ufeff \t\r\n").startswith("<")
    return from_graphml(text, name) if graphml else from_edge_list(text, name)


def _allowed(name: str, folder: Path | None) -> Path:
    if folder is None:
        raise GraphFault("E0805", "a text without a file has no graph files",
                         "load it from a file: `catnn.load(...)`, or write what `catnn.aut(graph)` says")  # fmt: skip
    parts = PurePosixPath(name).parts
    strange = any(ord(character) < 32 for character in name) or "\\" in name or ":" in name
    if not parts or strange or name.startswith("/") or ".." in parts:
        raise GraphFault("E0805", f"`{name}` may not be read", "put the graph in the folder of the spec, or below")
    try:
        path, root = (folder / name).resolve(), folder.resolve()
    except (OSError, RuntimeError):
        raise GraphFault("E0805", f"`{name}` cannot be read: it is not a readable file") from None
    if not path.is_relative_to(root):
        raise GraphFault("E0805", f"`{name}` may not be read: a link out of this folder",
                         "put the graph in the folder of the spec, or below")  # fmt: skip
    return path


@dataclass
class _Drawing:
    """A graph while it is read: nodes by their names, in order, and the colours of nodes and edges."""

    name: str
    nodes: dict[str, str] = field(default_factory=dict)
    edges: list[tuple[str, str, bool, str]] = field(default_factory=list)

    def fault(self, line: int, what: str, help_: str = "") -> GraphFault:
        return GraphFault("E0806", f"`{self.name}`, line {line}: {what}", help_)

    def node(self, line: int, name: str, colour: str = "") -> None:
        if len(self.nodes) >= MOST_POINTS and name not in self.nodes:
            raise self.fault(line, f"more than {MOST_POINTS} nodes",
                             "larger graphs have larger layers than anybody can run")  # fmt: skip
        self.nodes.setdefault(name, colour)

    def edge(self, line: int, tail: str, head: str, directed: bool, colour: str = "") -> None:
        if len(self.edges) >= MOST_EDGES:
            raise self.fault(line, f"more than {MOST_EDGES:,} edges")
        self.edges.append((tail, head, directed, colour))

    def graph(self, names: list[str]) -> Graph:
        """The graph with its nodes numbered in this order."""
        number = {name: at for at, name in enumerate(names)}
        kinds = sorted({colour for *_, colour in self.edges})
        lists = [
            tuple(Edge(number[a], number[b], directed) for a, b, directed, c in self.edges if c == kind)
            for kind in kinds
        ]
        colours = sorted(set(self.nodes.values()))
        cells = [tuple(number[name] for name in names if self.nodes[name] == colour) for colour in colours]
        return Graph(len(names), tuple(lists), tuple(cells) if len(cells) > 1 else ())


def from_edge_list(text: str, name: str = "<text>") -> Graph:
    """A graph from lines of two names, and perhaps the colour of the edge; one name alone is a node without edges.

    Nodes are numbered as they come, those that are all integers by size.  Raises: GraphFault (E0806).

    >>> print(from_edge_list("0 1  # an edge\\n1 2 double\\n3"))
    4, 0-1, 1-2
    """
    found = _Drawing(name)
    for line, row in enumerate(text.splitlines(), 1):
        words = row.partition("#")[0].split()
        if len(words) > 3:
            raise found.fault(line, f"{len(words)} words, not two names and perhaps a colour", "one edge a line: `a b`")
        for word in words[:2]:
            found.node(line, word)
        if len(words) > 1:
            found.edge(line, words[0], words[1], False, words[2] if len(words) == 3 else "")
    if not found.nodes:
        raise GraphFault("E0806", f"`{name}` has no nodes", "one edge a line: `a b`")
    names = list(found.nodes)
    if all(one.isascii() and one.isdecimal() and len(one) < 10 for one in names):
        names.sort(key=int)
    return found.graph(names)


def from_graphml(text: str, name: str = "<text>") -> Graph:
    """A graph from GraphML: nodes in file order; the attribute `color` of nodes and edges is kept, others are not.

    A document type is refused, so no entity is ever expanded.  Raises: GraphFault (E0806).
    """
    reader = _Reader(_Drawing(name))
    try:
        reader.parser.Parse(text.lstrip("\ufeff \t\r\n").encode("utf-8"), True)
    except expat.ExpatError as error:
        reason = expat.ErrorString(error.code)
        raise reader.found.fault(error.lineno, f"this is no XML: {reason}") from None
    drawing = reader.found
    if not drawing.nodes:
        raise GraphFault("E0806", f"`{name}` has no nodes", "a graph has `<node id=...>` elements")
    for line, tail, head, directed, colour in reader.ends:
        for end in (tail, head):
            if end not in drawing.nodes:
                raise drawing.fault(line, f"an edge to `{end[:40]}`, which is no node")
        drawing.edge(line, tail, head, directed, colour)
    return drawing.graph(list(drawing.nodes))


class _Reader:
    """The handlers of one parse."""

    def __init__(self, found: _Drawing) -> None:
        self.found = found
        self.parser = expat.ParserCreate(encoding="utf-8", namespace_separator=" ")
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.text
        self.parser.StartDoctypeDeclHandler = self.doctype
        self.parser.buffer_text = True
        self.ends: list[tuple[int, str, str, bool, str]] = []
        self.keys: dict[str, str] = {}
        self.defaults: dict[str, str] = {}
        self.open: list[dict[str, Any]] = []
        self.directed = False
        self.graphs = 0

    @property
    def line(self) -> int:
        return self.parser.CurrentLineNumber

    def doctype(self, *_: object) -> None:
        raise self.found.fault(self.line, "a document type, which is not read", "delete the line `<!DOCTYPE ...>`")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        kind = tag.rpartition(" ")[2]
        if len(self.open) > 20:
            raise self.found.fault(self.line, "elements nest too deep")
        if not self.open and kind != "graphml":
            raise self.found.fault(self.line, f"the outermost element is `{kind[:40]}`, not `graphml`")
        self.open.append({"kind": kind, "line": self.line, "text": "", **{f"@{k}": v for k, v in attributes.items()}})
        if kind == "graph":
            self.graphs += 1
            self.directed = self._direction("edgedefault", default=False)
            if self.graphs > 1:
                raise self.found.fault(self.line, "a second graph", "one graph a file")
        elif kind == "key" and attributes.get("attr.name") in COLOURS:
            self.keys[attributes.get("id", "")] = attributes.get("for", "all")
        elif kind in ("hyperedge", "port"):
            raise self.found.fault(self.line, f"`{kind}` elements are not read")
        for name in {"node": ("id",), "edge": ("source", "target")}.get(kind, ()):
            if name not in attributes:
                raise self.found.fault(self.line, f"a `{kind}` without its `{name}`")
        if kind == "node" and attributes["id"] in self.found.nodes:
            raise self.found.fault(self.line, f"a second node `{attributes['id'][:40]}`")

    def _direction(self, name: str, *, default: bool) -> bool:
        said = self.open[-1].get(f"@{name}")
        return default if said is None else said in ("directed", "true")

    def text(self, data: str) -> None:
        if self.open:
            self.open[-1]["text"] += data

    def end(self, _: str) -> None:
        here = self.open.pop()
        above = self.open[-1] if self.open else {}
        match here["kind"]:
            case "default" if above.get("@id") in self.keys:
                self.defaults[above.get("@for", "all")] = here["text"].strip()
            case "data" if here.get("@key") in self.keys and above.get("kind") in ("node", "edge"):
                above["colour"] = here["text"].strip()
            case "node":
                colour = here.get("colour", self.defaults.get("node", self.defaults.get("all", "")))
                self.found.node(here["line"], here["@id"], colour)
            case "edge":
                self.open.append(here)
                directed = self._direction("directed", default=self.directed)
                self.open.pop()
                colour = here.get("colour", self.defaults.get("edge", self.defaults.get("all", "")))
                self.ends.append((here["line"], here["@source"], here["@target"], directed, colour))
                if len(self.ends) > MOST_EDGES:
                    raise self.found.fault(here["line"], f"more than {MOST_EDGES:,} edges")
