"""Look for crashes: broken specs must end with coded errors, never with a traceback or a hang.

    python -m tests.fuzz [COUNT] [SEED]

Takes the specs of the repository (examples, specs, errors, those in the documentation), breaks each in a few places,
loads the result, and formats, shows and reads back what still means something.
The same seed breaks the same specs in the same places.
"""

from __future__ import annotations

import random
import re
import sys
import time
import traceback
from pathlib import Path

import catnn
from catnn import view
from catnn.model import Layer, Network
from catnn.syntax.printer import format_source

ROOT = Path(__file__).resolve().parent.parent
SLOW = 15.0  # seconds of computing that one spec may take, far above what any of them needs
FEW = 40  # a definition of more diagrams is not drawn: that is slow, and no fault
SNIPPET = re.compile(r"^```catnn\n(.*?)^```", re.MULTILINE | re.DOTALL)
TOKEN = re.compile(r"\w+|->|=>|\s+|#[^\n]*|.", re.DOTALL)
SPARE = (
    "space let layer network check rule box import all span bias id swap perm merge copy unit discard spider ev coev "
    "relu gate V W R n 0 1 2 3 12 100001 1/0 -> → = => : ; , @ ⊗ + - * / ' † ^ ( ) [ ] { } # \" S O Sp sgn \0 é 𝕍 "
    "return adj eps softmax layer_norm abstract pointwise fixed rank share init adjoint symmetric reduce mean self "
    "inputs Sym Aut Perm U A H B S+ O(1,2) Sym^2(V) V' | 0-1 0->1 (0 x y f"
).split(" ")


def seeds() -> list[str]:
    """The specs to start from, in an order that depends on their names alone."""
    files = sorted(path for folder in ("examples", "tests") for path in (ROOT / folder).rglob("*.catnn"))
    texts = [path.read_text(encoding="utf-8", errors="replace") for path in files]
    pages = sorted((ROOT / "docs").rglob("*.md"))
    return texts + [found for page in pages for found in SNIPPET.findall(page.read_text(encoding="utf-8"))]


def mutate(text: str, others: list[str], rng: random.Random) -> str:
    """A spec with one to four tokens or lines dropped, doubled, swapped or replaced."""
    tokens = TOKEN.findall(text)
    for _ in range(rng.randint(1, 4)):
        if not tokens:
            break
        at = rng.randrange(len(tokens))
        match rng.randrange(6):
            case 0:
                del tokens[at]
            case 1:
                tokens.insert(at, rng.choice(SPARE))
            case 2:
                tokens[at] = rng.choice(SPARE)
            case 3:
                other = rng.randrange(len(tokens))
                tokens[at], tokens[other] = tokens[other], tokens[at]
            case 4:
                tokens[at:at] = tokens[at : at + rng.randint(1, 8)]
            case 5:
                lines = rng.choice(others).splitlines(keepends=True)
                tokens.insert(at, rng.choice(lines) if lines else "")
    return "".join(tokens)


def try_one(text: str) -> str | None:
    """What is wrong with how catnn takes a spec, or None."""
    start = time.process_time()
    fault = None
    try:
        try:
            spec = catnn.parse(text)
        except catnn.CatnnError as error:
            if not all(re.fullmatch(r"E\d{4}", diagnostic.code) for diagnostic in error.diagnostics):
                return f"a diagnostic without a code:\n{error}"
            str(error)
        else:
            repr(spec)
            fault = taken_along(spec)
    except Exception:
        return traceback.format_exc()
    taken = time.process_time() - start
    return f"took {taken:.1f} s" if taken > SLOW else fault


def taken_along(spec: catnn.Spec) -> str | None:
    """What is wrong with how a spec is printed, shown and read back, or None."""
    printed = format_source(spec.text, spec.path)
    if format_source(printed, spec.path) != printed:
        return f"printed twice it is another text:\n{printed}"
    again = catnn.parse(printed)
    if list(again.shown) != list(spec.shown):
        return f"printed it defines something else:\n{printed}"
    for name, value in spec.shown.items():
        if isinstance(value, Layer) and sum(len(pair) for row in value.weighted for pair in row) > FEW:
            continue
        view.to_text(value)
        view.to_svg(value)
        if isinstance(value, Layer | Network) and view.to_json(value) != view.to_json(again.shown[name]):
            return f"printed `{name}` is something else:\n{printed}"
        text = view.to_json(value)
        if view.to_json(view.from_json(text)) != text:
            return f"`{name}` is not read back"
    return None


def main(count: int = 2000, seed: int = 0) -> int:
    """Try `count` broken specs; print and count what went wrong."""
    rng = random.Random(seed)
    specs = seeds()
    if not specs:
        print("no specs to start from", file=sys.stderr)
        return 2
    faults = 0
    for number in range(count):
        text = mutate(rng.choice(specs), specs, rng)
        if fault := try_one(text):
            faults += 1
            print(f"--- spec {number} of seed {seed}\n{text}\n--- {fault}\n", file=sys.stderr)
    print(f"{count} broken specs, {faults} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:3])))
