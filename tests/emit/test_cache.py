"""What was emitted before is found again, for what is alike alone; and nothing on disk is trusted."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import catnn
from catnn import compiler
from catnn.emit import cache
from catnn.emit.canonical import canonical, digest
from catnn.plan.build import plan_layer
from tests.emit.definition import randomise

ROOT = Path(__file__).resolve().parents[2]
TEXT = """space V : S(n)
layer f : V^2[3] -> V^2[4] = all + bias
layer g : V^2[4] -> V[2] = all { reduce: mean }
network net : V^2[3] -> V[2] = f ; g
"""


@pytest.fixture(autouse=True)
def places(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A cache of its own."""
    monkeypatch.setenv("CATNN_PLANS", "1")
    monkeypatch.setenv("CATNN_CACHE", str(tmp_path))
    cache._RECENT.clear()
    yield tmp_path / "plans"
    cache._RECENT.clear()


@pytest.fixture
def emitted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of what is emitted from now on."""
    found: list[str] = []
    own = compiler.emit

    def emit(items: list[Any], **options: str) -> Any:
        found.extend(item.name for item in items)
        return own(items, **options)

    monkeypatch.setattr(compiler, "emit", emit)
    return found


def parsed(text: str = TEXT, name: str = "f", path: str = "<text>") -> Any:
    return catnn.parse(text, path=path)[name]


def numbers(module: nn.Module) -> torch.Tensor:
    return randomise(module)(torch.linspace(-1, 1, 2 * 5 * 5 * 3).view(2, 5, 5, 3))  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", ["f", "net"])
@pytest.mark.parametrize("disk", [False, True])
def test_what_is_alike_is_emitted_once(name: str, disk: bool, emitted: list[str], places: Path) -> None:
    """In the process and from the folder; the head of the file tells of the other spec, the rest is equal."""
    first = catnn.compile(parsed(name=name), n=5)
    if disk:
        cache._RECENT.clear()
    again = catnn.compile(parsed(name=name), n=5)
    assert emitted == [name]
    assert again.source == first.source
    torch.testing.assert_close(numbers(again), numbers(first))
    other = catnn.compile(parsed(TEXT + "# more\n", name, "other.catnn"), n=5)
    assert emitted == [name]
    assert "from other.catnn." in other.source.partition("\n")[0]
    body = first.source.index(cache.BODY)
    assert other.source[other.source.index(cache.BODY) :] == first.source[body:]
    assert other.source == compiler.emit([parsed(name=name)], title="Equivariant layers, compiled by catnn from "
                                         "other.catnn.", spec=TEXT + "# more\n").text  # fmt: skip
    assert [file.suffix for file in places.iterdir()] == [".json"]
    assert list(json.loads(next(places.iterdir()).read_text())) == ["sha256", "entry"]


def test_another_process_finds_it() -> None:
    """Whatever PYTHONHASHSEED: the key depends on nothing of a process."""
    code = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
import catnn
from catnn import compiler
own = compiler.emit
compiler.emit = lambda items, **options: print("emitted") or own(items, **options)
for name in ("f", "net"):
    print(catnn.compile(catnn.parse({TEXT!r})[name]).source == "", name)
"""
    outputs = [
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, check=True, text=True, timeout=300,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout.split()
        for seed in ("1", "2", "3")
    ]  # fmt: skip
    assert outputs == [["emitted", "False", "f", "emitted", "False", "net"], *[["False", "f", "False", "net"]] * 2]


# --------------------------------------------------------------------------------------------- nothing is trusted


def entry(data: str, change: Callable[[dict[str, Any]], None]) -> str:
    """An entry with something else in it, and the right hash of that."""
    inner = json.loads(json.loads(data)["entry"])
    change(inner)
    text = json.dumps(inner)
    return json.dumps({"sha256": sha256(text.encode()).hexdigest(), "entry": text})


def change(name: str, value: Callable[[Any], Any]) -> Callable[[str], str]:
    return lambda data: entry(data, lambda inner: inner.__setitem__(name, value(inner[name])))


def renamed(at: int, value: Any) -> Callable[[str], str]:
    return change("layers", lambda rows: [[*row[:at], value, *row[at + 1 :]] for row in rows])


WRONG: dict[str, Callable[[str], str]] = {
    "empty": lambda data: "",
    "truncated": lambda data: data[: len(data) // 2],
    "no JSON": lambda data: "catnn",
    "another form": lambda data: "[]",
    "a number": lambda data: "7",
    "nested": lambda data: "[" * 100_000,
    "no entry": lambda data: "{}",
    "one letter": lambda data: data.replace("diagonal", "Diagonal", 1),
    "wrong hash": lambda data: data.replace('"sha256": "', '"sha256": "0', 1),
    "of another item": change("key", lambda key: key[::-1]),
    "of other code": change("proved by", lambda code: code[::-1]),
    "an import": change("source", lambda text: text.replace("import torch\n", "import torch\nimport os\n", 1)),
    "a call": change("source", lambda text: text + '\n\nopen("/tmp/x")\n'),
    "a dunder": change("source", lambda text: text + "\n\nx = ().__class__\n"),
    "a loader": change("source", lambda text: text + '\n\nx = torch.load("x")\n'),
    "no Python": change("source", lambda text: text + "\n\n(\n"),
    "no source": change("source", lambda text: ""),
    "an error": change("source", lambda text: text + '\n\nraise ValueError("wrong")\n'),
    "no class": change("source", lambda text: text.replace("class F(", "class G(")),
    "no function": change("source", lambda text: text.replace("class _F(", "class _H(")),
    "another owner": renamed(0, "X"),
    "another function": renamed(1, "X"),
    "another plan": renamed(6, "0"),
    "no extras": renamed(3, 7),
    "no rows": change("layers", lambda rows: []),
    "more rows": change("layers", lambda rows: rows * 2),
    "rows of nothing": change("layers", lambda rows: [[]]),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_ignored_and_written_again(what: str, emitted: list[str], places: Path) -> None:
    first = catnn.compile(parsed(), n=5)
    (file,) = places.iterdir()
    good = file.read_text()
    bad = WRONG[what](good)
    assert bad != good
    file.write_text(bad)
    cache._RECENT.clear()
    for name in [name for name in sys.modules if name.startswith("catnn_generated_")]:
        del sys.modules[name]
    again = catnn.compile(parsed(), n=5)
    assert again.source == first.source
    torch.testing.assert_close(numbers(again), numbers(first))
    assert emitted == ["f", "f"]
    assert file.read_text() == good


def test_files_of_others_and_bytes_are_ignored(emitted: list[str], places: Path) -> None:
    catnn.compile(parsed())
    (file,) = places.iterdir()
    file.chmod(0o666)
    cache._RECENT.clear()
    catnn.compile(parsed())
    assert len(emitted) == 2
    file.write_bytes(b"\xff\xfe" + file.read_bytes())
    cache._RECENT.clear()
    catnn.compile(parsed())
    assert len(emitted) == 3
    file.unlink()
    file.mkdir()
    cache._RECENT.clear()
    catnn.compile(parsed())
    assert len(emitted) == 4
    file.rmdir()
    os.mkfifo(file)  # nobody writes there, so who reads waits
    cache._RECENT.clear()
    catnn.compile(parsed())
    assert len(emitted) == 5
    assert not list(places.glob("*.part"))


def test_a_plan_that_is_another_now_is_not_taken(emitted: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Code that plans otherwise has another key; were it not so, the hash of the plan would tell."""
    item = parsed()
    catnn.compile(item)
    cache._RECENT.clear()
    monkeypatch.setattr("catnn.emit.file.plan_layer", lambda layer: plan_layer(parsed(name="g")))
    assert cache.recall(parsed(), title="", spec="") is None
    monkeypatch.undo()


# ---------------------------------------------------------------------------------------------------------- the key

SPECS = [
    "space V : S(n)  layer f : V[2] -> V[2] = all",
    "space V : S(m)  layer f : V[2] -> V[2] = all",
    "space V : S(5)  layer f : V[2] -> V[2] = all",
    "space W : S(n)  layer f : W[2] -> W[2] = all",
    "space V : O(n)  layer f : V[2] -> V[2] = all",
    "space V : Perm(3, (0 1 2))  layer f : V[2] -> V[2] = all",
    "space V : Perm(3, (0 1))  layer f : V[2] -> V[2] = all",
    "space V : S(n)  layer f : V[2] -> V[3] = all",
    "space V : S(n)  layer f : V[2] -> V[2] = all + bias",
    "space V : S(n)  layer f : V[2] -> V[2] = all + id",
    "space V : S(n)  layer f : V[2] -> V[2] = all + 2 * id",
    "space V : S(n)  layer f : V[2] -> V[2] = all + (1/n) * id",
    "space V : S(n)  layer f : V[2] -> V[2] = all { reduce: mean }",
    "space V : S(n)  layer f : V[2] -> V[2] = all { init: zeros }",
    "space V : S(n)  layer f : V[2] -> V[2] = span { [i -> i], [i -> j] }",
    "space V : S(n)  layer f : V[2] -> V[2] = span { [i -> j], [i -> i] }",
    "space V : S(n)  layer f : V[2] + V[2] -> V[2] = all",
    "space V : S(n)  space U : S(n)  layer f : V[2] + U[2] -> V[2] = all",
    "space V : S(n)  layer f : Sym^2(V)[2] -> V[2] = all",
    "space V : S(n)  layer f : V^2[2] -> V[2] = all",
    "space V : S(n)  layer g : V[2] -> V[2] = all  network f : V[2] -> V[2] = g ; relu ; g",
    "space V : S(n)  layer g : V[2] -> V[2] = all  network f : V[2] -> V[2] = g ; tanh ; g",
    "space V : S(n)  layer g : V[2] -> V[2] = all  layer h = g  network f : V[2] -> V[2] = g ; relu ; h",
    "space V : S(n)  layer h : V[2] -> V[2] = all  network f : V[2] -> V[2] = h ; relu ; h",
    "space V : S(n)  network f(x: V, y: V) -> V^2 { return [i, j -> i j](x, y) }",
    "space V : S(n)  network f(x: V, y: V) -> V^2 { return [i, j -> j i](x, y) }",
    "space V : S(n)  network f(x: V, z: V) -> V^2 { return [i, j -> i j](x, z) }",
    "space V : S(n)  space D : 3  box w : D -> D  network f(x: V @ D) -> V @ D { return (id[V] @ w)(x) }",
    "space V : S(n)  space D : 3  box w : D -> D { rank: 2 }  network f(x: V @ D) -> V @ D { return (id[V] @ w)(x) }",
]  # fmt: skip


def test_keys_are_those_of_the_meaning() -> None:
    """Different for all that makes another file, equal for the same in other words and places."""
    found = [cache.key_of(parsed(text)) for text in SPECS]
    assert None not in found
    assert len({*found}) == len(found)
    assert found == [cache.key_of(parsed(text.replace("  ", "\n# more\n\n "))) for text in SPECS]
    for text in SPECS[:20]:
        item = parsed(text)
        assert cache.key_of(item) == cache.key_of(copy.copy(item))
        assert emit_body(item) == emit_body(parsed("\n" + text))


def emit_body(item: Any) -> str:
    text = compiler.emit([item], title="", spec="").text
    return text[text.index(cache.BODY) :]


def test_the_key_has_the_code_and_what_orders_contractions(monkeypatch: pytest.MonkeyPatch) -> None:
    layer, network = parsed(SPECS[0]), parsed(SPECS[24])
    before = cache.key_of(layer), cache.key_of(network)
    monkeypatch.setattr(cache, "version", lambda name: "0.0")
    assert cache.key_of(layer) == before[0]
    assert cache.key_of(network) != before[1]
    monkeypatch.setattr(cache, "code", lambda: "other")
    assert cache.key_of(layer) != before[0]


def test_canonical_text_is_of_values() -> None:
    layer = parsed()
    assert canonical((layer, layer)).endswith(",#0)")
    assert canonical((layer, parsed())).count("Layer(") == 2
    assert digest(plan_layer(layer)) == digest(plan_layer(parsed()))
    assert canonical(("a,b", "c")) != canonical(("a", "b,c"))
    assert canonical((1, (2,))) != canonical((1, 2))
    assert canonical(True) != canonical(1)
    with pytest.raises(TypeError, match="has no canonical text"):
        canonical(object())


def test_an_item_without_canonical_text_is_emitted_each_time(emitted: list[str], places: Path) -> None:
    item = parsed()
    object.__setattr__(item, "init", object())
    with pytest.raises(TypeError):
        canonical(item)
    assert cache.key_of(item) is None
    assert cache.recall(item, title="", spec="") is None
    cache.keep(item, compiler.emit([parsed()], title="", spec=""))
    assert not places.exists()


# ------------------------------------------------------------------------------------------------------- the place


def test_it_can_be_switched_off_and_cleared(monkeypatch: pytest.MonkeyPatch, emitted: list[str], places: Path) -> None:
    monkeypatch.setenv("CATNN_PLANS", "0")
    for _ in range(2):
        catnn.compile(parsed())
    assert len(emitted) == 2
    assert not places.exists()
    monkeypatch.setenv("CATNN_PLANS", "1")
    for _ in range(2):
        catnn.compile(parsed())
    assert len(emitted) == 3
    cache.clear()
    assert not list(places.iterdir())
    catnn.compile(parsed())
    assert len(emitted) == 4


@pytest.mark.parametrize("folder", ["/dev/null/nowhere", "/proc/nowhere"])
def test_where_nothing_can_be_written_the_process_remembers(
    folder: str, monkeypatch: pytest.MonkeyPatch, emitted: list[str]
) -> None:
    monkeypatch.setenv("CATNN_CACHE", folder)
    for _ in range(2):
        catnn.compile(parsed())
    assert emitted == ["f"]


def test_both_are_bounded(monkeypatch: pytest.MonkeyPatch, emitted: list[str], places: Path) -> None:
    monkeypatch.setattr(cache, "MOST", 2)
    monkeypatch.setattr(cache, "MOST_FILES", 3)
    for at, text in enumerate(SPECS[:5]):
        catnn.compile(parsed(text))
        for file in places.iterdir():
            os.utime(file, (at, min(at, file.stat().st_mtime)))
    assert len(cache._RECENT) == 2
    assert len(list(places.iterdir())) == 3
    count = len(emitted)
    for text in SPECS[2:5]:
        catnn.compile(parsed(text))
    assert len(emitted) == count
    catnn.compile(parsed(SPECS[0]))
    assert len(emitted) == count + 1


def test_threads_share_it(emitted: list[str]) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda at: catnn.compile(parsed(SPECS[at % 4])).source, range(32)))
    assert [found[at] for at in range(4)] == [found[at + 28] for at in range(4)]
    assert len(emitted) <= 32
    assert len({*found}) == 4


def test_other_packages_are_called_with_leave_alone(emitted: list[str], places: Path) -> None:
    """The lines that import them are those of the spec, which somebody has allowed; not those of the entry."""
    text = 'space V : S(n)  box f : V -> V = map "torch.special.erf"  network g(x: V) -> V { return f(x) }'
    spec = catnn.parse(text, allow_maps=True)
    first = catnn.compile(spec["g"])
    cache._RECENT.clear()
    again = catnn.compile(catnn.parse(text, allow_maps=True)["g"])
    assert emitted == ["g"]
    assert again.source == first.source
    (file,) = places.iterdir()
    file.write_text(change("source", lambda text: text.replace("torch.special", "os"))(file.read_text()))
    cache._RECENT.clear()
    catnn.compile(catnn.parse(text, allow_maps=True)["g"])
    assert emitted == ["g", "g"]
