"""`catnn check`: parse, type and prove; a line a file."""

from __future__ import annotations

from typing import Any

from catnn.commands import UsageError
from catnn.commands.arguments import Parser, limits
from catnn.commands.console import Progress, counted, print_json, print_note, report
from catnn.commands.files import load_spec
from catnn.diagnostics import CatnnError, Diagnostic
from catnn.model import Check, Layer, Network, Spec

EXAMPLES = """\
  catnn check graph.catnn
  catnn check *.catnn --json
  catnn check rules.catnn --proof    how each `check` was proved
  generate | catnn check -
"""


def parser() -> Parser:
    """The command line."""
    text = "Prints a line a file and, to standard error, every fault with its place. Takes a fraction of a second."
    found = Parser("check", text, EXAMPLES)
    found.add_argument("files", metavar="FILE", nargs="+", help="a spec, `-` for standard input")
    found.limit()
    found.add_argument("--proof", action="store_true", help="how each `check` was proved, step by step")
    found.json()
    return found


def run(words: list[str]) -> int:
    """Run the verb."""
    options = parser().read(words)
    status, files = 0, []
    for file in options.files:
        with Progress(f"checking {file}"):
            spec, error = _load(file, limits(options))
        status = max(status, 2 if isinstance(error, UsageError) else 1 if error else 0)
        files.append(_as_dict(file, spec, error.diagnostics if error else (), proof=options.json and options.proof))
        if not options.json:
            _print(file, spec, error)
            if options.proof and spec is not None:
                print("".join(f"\n{proof_text(check)}\n" for check in spec.checks), end="")
    if options.json:
        print_json({"ok": status == 0, "files": files})
    return status


def _load(file: str, limits: dict[str, Any]) -> tuple[Spec | None, CatnnError | None]:
    try:
        spec = load_spec(file, **limits)
        _check_classes(spec)
        return spec, None
    except CatnnError as error:
        return None, error


def _check_classes(spec: Spec) -> None:
    """Raises: CatnnError (E1016) where two names would be one class; where none could, without loading the emitter."""
    names = ["".join(filter(str.isalnum, ascii(name))).casefold() for name in spec]
    if len(set(names)) < len(names):
        from catnn.compiler import check_classes

        check_classes(spec)


def _print(file: str, spec: Spec | None, error: CatnnError | None) -> None:
    if error is not None:
        print(f"{file}: {counted(len(error.diagnostics), 'error')}")
        report(error.diagnostics)
    if spec is not None:
        print(f"{file}: {summary(spec)}")
        for name, layer in spec.layers.items():
            for note in layer.notes:
                print_note(f"{file}: {name}: {note}")
        for name, path in spec.maps.items():
            print_note(f"{file}: {name}: {map_note(spec, name, path)}")


def map_note(spec: Spec, name: str, path: str) -> str:
    """What nobody has checked about a box that is a function of another package."""
    box = spec.boxes[name]
    spaces = dict.fromkeys(wire.base for wire in box.source + box.target if not wire.plain)
    note = f"runs `{path}`, which catnn does not know"
    if spaces:
        moved = ", ".join(f"{wire.space} ({wire.group})" for wire in spaces)
        note += f"; that it is equivariant on {moved} is a promise, which `catnn test --allow-maps` tries"
    return note


def proof_text(check: Check) -> str:
    """How a line was proved."""
    from catnn.rewrite.telling import tell

    lines = [f"  {' '.join(check.text.split())}"]
    if check.proof is None or not check.proof.left.steps + check.proof.right.steps:
        return "\n".join((*lines, "    by normal form: both sides are one diagram"))
    lines.append(tell(check.proof, "    "))
    steps = len(check.proof.left.steps) + len(check.proof.right.steps)
    assumed = ", ".join(rule.name for rule in check.proof.rules)
    return "\n".join((*lines, f"    {counted(steps, 'step')}, replayed; from {assumed}"))


def summary(spec: Spec) -> str:
    """What a spec defines, and what was proved, on a line."""
    own = [value for name, value in spec.items() if "." not in name]
    layers, networks = len(spec.layers), len(spec.networks)
    diagrams = len(own) - layers - networks + sum("." not in name for name in spec.composites)
    boxes = sum("." not in name for name in spec.boxes)
    counts = ((layers, "layer"), (networks, "network"), (diagrams, "diagram"))
    parts = [counted(number, noun) for number, noun in counts if number]
    if boxes:
        parts.append("1 box" if boxes == 1 else f"{boxes} boxes")
    if spec.rules:
        parts.append(counted(len(spec.rules), "rule"))
    if spec.checks:
        parts.append(f"{counted(len(spec.checks), 'check')} proved")
    return ", ".join(parts) or "nothing is defined"


def _as_dict(
    file: str, spec: Spec | None, diagnostics: tuple[Diagnostic, ...], *, proof: bool = False
) -> dict[str, Any]:
    found = {
        "file": file,
        "ok": spec is not None,
        "definitions": [_definition(name, value) for name, value in (spec or {}).items()],
        "checks": [check.text for check in spec.checks] if spec is not None else [],
        "maps": dict(spec.maps) if spec is not None else {},
        "diagnostics": [diagnostic.to_dict() for diagnostic in diagnostics],
    }
    if proof:
        from catnn.rewrite.proofs import to_dict

        proofs = [check.proof for check in spec.checks] if spec is not None else []
        found["proofs"] = [None if one is None else to_dict(one) for one in proofs]
    return found


def _definition(name: str, value: Any) -> dict[str, Any]:
    """A definition as plain data."""
    if isinstance(value, Layer):
        return {
            "name": name,
            "kind": "layer",
            "source": str(value.source),
            "target": str(value.target),
            "diagrams": sum(len(pair) for row in value.weighted for pair in row),
            "bias_diagrams": sum(map(len, value.biases)),
            "parameters": value.parameters,
            "notes": list(value.notes),
        }
    if isinstance(value, Network):
        return {"name": name, "kind": "network", "source": str(value.source), "target": str(value.target)}
    from catnn.category.wires import show_word

    source, target = show_word(value.source), show_word(value.target)
    return {"name": name, "kind": "diagram", "source": source, "target": target, "diagram": str(value)}
