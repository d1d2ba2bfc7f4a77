"""Loops that are compiled when they are first called."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from surgiplan.algorithms import border
from surgiplan.algorithms.compiled import compiled
from surgiplan.values import FloatArray

ROOT = Path(border.__file__).parent


@compiled
def _square(x: float) -> float:
    return x * x


@compiled
def _sum_of_squares(values: FloatArray) -> float:
    total = 0.0
    for value in values:
        total += _square(value)
    return total


@compiled
def _fused(a: FloatArray, b: FloatArray, c: FloatArray, to: FloatArray) -> None:
    for i in range(len(a)):
        to[i] = a[i] * b[i] + c[i]


def test_a_loop_may_call_another_of_its_file() -> None:
    assert _sum_of_squares(np.arange(4.0)) == 14.0
    assert _sum_of_squares.__name__ == "_sum_of_squares"


def test_several_threads_may_call_it_first() -> None:
    @compiled
    def twice(values: FloatArray) -> float:
        return 2.0 * values.sum()

    found: list[float] = []
    threads = [Thread(target=lambda: found.append(twice(np.ones(3)))) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert found == [6.0] * 4


def test_the_arithmetic_is_that_of_numpy_to_the_last_bit() -> None:
    chance = np.random.default_rng(1)
    a, b, c = chance.standard_normal((3, 10_000))
    found = np.empty(len(a))
    _fused(a, b, c, found)
    assert np.array_equal(found, a * b + c)


def test_a_loop_of_another_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_square, "__module__", "elsewhere")

    @compiled
    def calls(x: float) -> float:
        return _square(x)

    with pytest.raises(TypeError, match="_square, a compiled loop of another file"):
        calls(2.0)


def test_the_compiler_is_loaded_only_when_it_is_needed() -> None:
    used = "surgiplan.algorithms.surface, surgiplan.algorithms.cutting.planes"
    order = f"import sys, {used}; print('numba' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", order], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def _loops() -> Iterator[tuple[Path, ast.Module, ast.FunctionDef]]:
    for file in sorted(ROOT.rglob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and any(
                isinstance(one, ast.Name) and one.id == "compiled" for one in node.decorator_list
            ):
                yield file, tree, node


def test_no_loop_uses_what_another_file_of_the_house_may_change() -> None:
    """What is kept is thrown away when its own file changes, not when another does."""
    wrong = []
    for file, tree, loop in _loops():
        far = {
            alias.asname or alias.name
            for node in tree.body
            if isinstance(node, ast.ImportFrom) and node.level
            for alias in node.names
        }
        body = (name for line in loop.body for name in ast.walk(line) if isinstance(name, ast.Name))
        wrong += [f"{file.name}:{one.lineno} {one.id}" for one in body if one.id in far]
    assert wrong == []
