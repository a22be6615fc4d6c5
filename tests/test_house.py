"""The laws of the house: what may import what, how long a file may be, and that every room says what it is for."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tokenize
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "catnn"
FILES = sorted(PACKAGE.rglob("*.py"))
HEAVY = ("torch", "sympy", "networkx", "numpy")

SPEC = """\
space V : S(n)
layer mix : V^2[3] -> V^2[16] = all + bias
layer pool : V^2[16] -> V[8] = span { [i j -> i], [i i -> i] }
network classify : V^2[3] -> V[8] = mix ; relu ; pool
let trace : V^2 -> 1 = merge ; discard
check trace = [i i -> ]
check copy @ id ; id @ merge = merge ; copy
"""


def file_id(path: Path) -> str:
    """The path inside the repository."""
    return path.relative_to(ROOT).as_posix()


def heavy_after(code: str, *args: str, cwd: Path = ROOT) -> list[str]:
    """The heavy packages that a fresh interpreter has imported after some code."""
    report = f"\nimport sys\nprint('HEAVY', *[name for name in {HEAVY!r} if name in sys.modules])\n"
    prologue = f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n"
    done = subprocess.run(
        [sys.executable, "-c", prologue + code + report, *args],
        capture_output=True,
        text=True,
        cwd=cwd,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.rsplit("HEAVY", 1)[1].split()


# ------------------------------------------------------------------------------------------- what may import what


@pytest.mark.parametrize(
    "code",
    [
        "import catnn",
        "import catnn\ncatnn.CatnnError, catnn.__version__",
        "import catnn.cli",
        f"import catnn\nspec = catnn.parse({SPEC!r})",
        "import catnn\nspec = catnn.load(sys.argv[1])",
        "import catnn.cli\nassert not catnn.cli.main(['check', sys.argv[1]])",
        "import catnn.cli\nassert not catnn.cli.main(['fmt', '--check', sys.argv[1]]) in (2, 3)",
    ],
    ids=["import", "errors", "cli", "parse", "load", "check", "fmt"],
)
def test_light_work_imports_nothing_heavy(code: str, tmp_path: Path) -> None:
    """sympy alone would spend the whole time that `catnn check` has."""
    spec = tmp_path / "graph.catnn"
    spec.write_text(SPEC, encoding="utf-8")
    assert heavy_after(code, str(spec)) == []


def imported(path: Path, *, inside_functions: bool = True) -> set[str]:
    """Every module that a file imports, except for types alone."""
    names: set[str] = set()

    def visit(node: ast.AST) -> None:
        match node:
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                for child in node.orelse:
                    visit(child)
                return
            case ast.FunctionDef() if not inside_functions:
                return
            case ast.Import():
                names.update(alias.name for alias in node.names)
            case ast.ImportFrom(level=level) if level:
                raise AssertionError(f"{file_id(path)}: a relative import hides which room it is")
            case ast.ImportFrom(module=str(module)):
                names.add(module)
                names.update(f"{module}.{alias.name}" for alias in node.names)
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(ast.parse(path.read_text(encoding="utf-8")))
    return names


def roots(path: Path) -> set[str]:
    """The top-level packages among a file's imports."""
    return {name.partition(".")[0] for name in imported(path)}


# The arrows of the pipeline point one way.  A room is a folder of catnn, or a file at its top; it imports what stands
# here and nothing else of catnn.
DIAGRAMS = {"category", "model"}
ROOMS: dict[str, set[str]] = {
    "__init__": set(),
    "__main__": {"cli"},
    "activations": {"category"},
    "api": {"category", "compiler", "diagnostics", "elaborate", "explanation", "model", "syntax"},
    "baselines": {*DIAGRAMS, "rewrite"},
    "bench": {"baselines", "benchmark", "calibration", "category", "compiler", "diagnostics", "explanation", "measure",
              "model"},
    "benchmark": {"tables"},
    "calibration": {*DIAGRAMS, "api", "compiler", "measure", "native", "plan"},
    "category": {"diagnostics", "drawable"},
    "checker": set(),
    "cli": {"commands", "diagnostics", "elaborate"},
    "commands": {*DIAGRAMS, "api", "bench", "compiler", "diagnostics", "editors", "elaborate", "hypergraph",
                 "playground", "report", "resources", "rewrite", "syntax", "testing", "view"},
    "editors": {*DIAGRAMS, "activations", "hypergraph", "api", "diagnostics", "elaborate", "report", "syntax", "view"},
    "playground": {*DIAGRAMS, "api", "diagnostics", "editors", "elaborate", "report", "syntax", "view"},
    "report": {*DIAGRAMS, "compiler", "diagnostics", "emit", "explanation", "hypergraph", "program", "rewrite",
                "syntax", "tables", "view"},
    "compiler": {*DIAGRAMS, "diagnostics", "emit", "native"},
    "diagnostics": set(),
    "drawable": set(),
    "elaborate": {*DIAGRAMS, "activations", "checker", "diagnostics", "hypergraph", "rewrite", "program", "syntax"},
    "emit": {*DIAGRAMS, "activations", "diagnostics", "hypergraph", "plan", "program"},
    "explanation": {*DIAGRAMS, "compiler", "diagnostics", "emit", "joining", "plan", "program", "rewrite"},
    "hypergraph": {"category", "diagnostics", "drawable"},
    "joining": {*DIAGRAMS, "emit", "plan", "program"},
    "gramian": {*DIAGRAMS, "api", "diagnostics", "elaborate"},
    "orbits": {*DIAGRAMS, "diagnostics"},
    "program": {"category"},
    "projection": {*DIAGRAMS, "compiler", "diagnostics", "gramian"},
    "measure": set(),
    "model": {"category", "diagnostics", "drawable", "program"},
    "native": {*DIAGRAMS, "emit", "plan"},
    "nn": {"api", "compiler", "diagnostics", "syntax"},
    "plan": {*DIAGRAMS, "hypergraph", "program", "rewrite"},
    "rendering": {"diagnostics"},
    "resources": set(),
    "rewrite": {"category", "diagnostics", "drawable", "hypergraph"},
    "syntax": {"diagnostics", "resources"},
    "tables": set(),
    "testing": {*DIAGRAMS, "compiler"},
    "view": {*DIAGRAMS, "activations", "diagnostics", "hypergraph", "plan", "program", "rewrite", "tables"},
}  # fmt: skip

# Against the stream, and therefore only inside a function that is called for it: a value knows who draws it, an error
# who prints it.
CALLED: dict[str, set[str]] = {
    "__init__": {"editors"},
    "diagnostics": {"rendering"},
    "drawable": {"view"},
    "explanation": {"view"},
    "model": {"view"},
}

TORCH = {"baselines", "bench", "calibration", "emit", "measure", "native", "orbits", "projection", "testing"}
"""The rooms that compute with tensors; in `emit` it is the file that is copied into generated modules."""


def room_of(path: Path) -> str:
    """The folder of catnn that a file is in, or its own name."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def rooms_of(names: set[str]) -> set[str]:
    """The rooms among imported modules."""
    parts = [name.split(".") for name in names]
    return {part[1] for part in parts if part[0] == "catnn" and len(part) > 1 and part[1] in ROOMS}


def test_every_room_has_a_law() -> None:
    """A new folder, or a new file at the top, says what it is built on."""
    assert {room_of(path) for path in FILES} == ROOMS.keys()
    assert set().union(*ROOMS.values(), *CALLED.values(), CALLED, TORCH) <= ROOMS.keys()


@pytest.mark.parametrize("room", ROOMS)
def test_the_pipeline_has_no_way_back(room: str) -> None:
    """text -> Syntax -> Diagram -> Factored -> Plan -> source; nobody is built on a later room."""
    wrong = []
    for path in FILES:
        if room_of(path) == room:
            first = rooms_of(imported(path, inside_functions=False)) - ROOMS[room]
            later = rooms_of(imported(path)) - ROOMS[room] - CALLED.get(room, set())
            wrong += [f"{file_id(path)} imports {name}" for name in sorted((first | later) - {room})]
    assert wrong == []


def test_the_laws_have_no_circle() -> None:
    """The rooms can be read in an order in which each needs only earlier ones."""
    assert len(list(TopologicalSorter(ROOMS).static_order())) == len(ROOMS)  # raises CycleError
    assert ROOMS["category"].isdisjoint({"elaborate", "plan", "emit", "view"})
    assert ROOMS["elaborate"].isdisjoint({"plan", "emit"})
    assert ROOMS["plan"].isdisjoint({"emit", "elaborate"})
    assert ROOMS["emit"].isdisjoint({"elaborate", "syntax"})


@pytest.mark.parametrize("room", sorted(ROOMS.keys() - TORCH))
def test_only_the_last_arrow_imports_torch(room: str) -> None:
    """Text, diagrams, plans and pictures are mathematics; torch begins where a module is loaded."""
    assert [file_id(path) for path in FILES if room_of(path) == room and "torch" in roots(path)] == []


def test_dependencies_are_declared() -> None:
    """Nothing is imported that an installation would not bring."""
    declared = {*sys.stdlib_module_names, "catnn", "networkx", "numpy", "opt_einsum", "sympy", "torch"}
    maker = {
        "catnn/syntax/make_tables.py": {"lark"},  # run after a change of the grammar, from the extra `test`
        "catnn/view/png.py": {"resvg_py"},  # the extra `png`
        "catnn/playground/app.py": {"starlette"},  # the extra `serve`
        "catnn/playground/server.py": {"uvicorn"},
        "catnn/editors/lsp.py": {"lsprotocol", "pygls"},  # the extra `lsp`
        "catnn/editors/pygments.py": {"pygments"},  # loaded by Pygments itself
        "catnn/editors/notebook.py": {"IPython"},  # loaded by IPython itself
        "catnn/view/discopy.py": {"discopy"},  # the extra `discopy`
        "catnn/category/automorphisms.py": {"igraph"},  # for hard graphs alone, from the extra `graphs`
        "catnn/plan/searching.py": {"cotengra"},  # for large contractions alone, from the extra `cotengra`
    }
    wrong = {file_id(path): roots(path) - declared - maker.get(file_id(path), set()) for path in FILES}
    assert {file for file, names in wrong.items() if names} == set()
    beside = [*(ROOT / "examples").rglob("*.py")]
    declared |= {"ase", "examples", "tests", *(path.stem for path in beside)}  # ase is in the extra `dev`
    assert {file_id(path) for path in beside if roots(path) - declared} == set()


def group_keys() -> set[str]:
    """How the families of groups are called in specs."""
    from catnn.category.families import FAMILIES

    return {*FAMILIES}


def family_classes() -> set[str]:
    """The classes of the families, in the files of `category` that hold them."""
    from catnn.category.family import Family

    found, pending = set(), [Family]
    while pending:
        for one in pending.pop().__subclasses__():
            found.add(f"{one.__module__}.{one.__name__}")
            pending.append(one)
    return {name for name in found if name.startswith("catnn.")}


WRITTEN = {"catnn.category.graphs.Automorphisms", "catnn.category.orbital.Permuted"}
"""Families that are made from what a spec writes out, a graph or generators, with a syntax of their own."""


def names_of_groups(path: Path) -> list[str]:
    """The strings of a file that are the key of a group, and the families that it imports."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in group_keys():
            found.append(f"{file_id(path)}:{node.lineno} {node.value!r}")
    known = WRITTEN if room_of(path) in ("api", "elaborate") else set()
    return found + [f"{file_id(path)} {name}" for name in sorted(imported(path) & family_classes() - known)]


@pytest.mark.parametrize("room", sorted(ROOMS.keys() - {"category", "syntax"}))
def test_no_room_knows_a_group_by_name(room: str) -> None:
    """Adding a group is one new file in `category` and a line in its registry: whoever wants to know asks the family.

    (To `syntax` no name is that of a group: it offers `H` as one for an import.)
    """
    group_keys()
    assert [name for path in FILES if room_of(path) == room for name in names_of_groups(path)] == []


def test_a_group_known_by_name_is_found(tmp_path: Path) -> None:
    """The law before this one sees both ways of breaking it."""
    import catnn.category.symplectic

    assert catnn.category.symplectic.Symplectic.key in group_keys()
    path = PACKAGE / "category" / "families.py"
    assert any(name.endswith("catnn.category.symplectic.Symplectic") for name in names_of_groups(path))
    assert any(name.endswith("'S'") for name in names_of_groups(PACKAGE / "category" / "bistochastic.py"))


# ---------------------------------------------------------------------------------------------------- how it reads


def test_no_file_is_too_long() -> None:
    """400 lines are the most that a reader can be asked for; aim at 250."""
    lengths = {file_id(path): len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    assert {file: length for file, length in lengths.items() if length > 400} == {}


def test_every_module_says_what_it_is_for() -> None:
    """The first line of a file is a sentence."""
    silent = [file_id(path) for path in FILES if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))]
    assert silent == []


def test_nothing_is_left_for_later() -> None:
    """What is not built is refused with a coded error, not promised in a comment."""
    later = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
    found = []
    for path in [*FILES, *(ROOT / "tests").rglob("*.py"), *(ROOT / "examples").rglob("*.py")]:
        with path.open("rb") as file:
            for token in tokenize.tokenize(file.readline):
                if token.type == tokenize.COMMENT and later.search(token.string):
                    found.append(f"{file_id(path)}:{token.start[0]}")
    for path in [*(ROOT / "grammar").rglob("*"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")]:
        if path.is_file() and later.search(path.read_text(encoding="utf-8")):
            found.append(file_id(path))
    assert found == []


def test_text_files_are_plain() -> None:
    """UTF-8, Unix line ends, a newline at the end, no tabs in Python."""
    wrong = []
    for path in [*FILES, *ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "grammar").rglob("*.lark")]:
        text = path.read_bytes().decode("utf-8")
        if "\r" in text or (text and not text.endswith("\n")) or (path.suffix == ".py" and "\t" in text):
            wrong.append(file_id(path))
    assert wrong == []


# ------------------------------------------------------------------------------------------------ the public names


def test_public_names() -> None:
    """Every name in `__all__` can be had, is listed by `dir`, and is known to the type checker."""
    import catnn

    for name in catnn.__all__:
        assert getattr(catnn, name) is not None
        assert name in dir(catnn)
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    known = {alias.asname for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert known == set(catnn.__all__) - {"__version__"}


def test_public_names_are_on_the_page() -> None:
    """The reference of the Python interface has a row for each."""
    import catnn

    page = (ROOT / "docs" / "reference" / "python.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    missing = [name for name in catnn.__all__ if not any(re.search(rf"`catnn\.{name}\b", row) for row in rows)]
    assert missing == []


def test_an_unknown_name_is_an_attribute_error() -> None:
    """So that `hasattr`, `copy` and editors work as for any module."""
    import catnn

    assert not hasattr(catnn, "no_such_name")
