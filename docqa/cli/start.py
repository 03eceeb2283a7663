"""A command's start: the models' libraries without what asking never calls.

transformers and sentence-transformers import scikit-learn, SciPy, torch's compiler and its tensors
over several machines (and with these SymPy) for training, serving and metrics. That is a
third of a cold command's time (``benchmarks/start.py``). Here stand-ins take the place of these
libraries while the models load.

Only for a process that is docqa's own: a program that uses docqa may need them whole.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, TypeVar

import click

_T = TypeVar("_T")

# symbolic_shapes is what imports SymPy.
_STOOD_FOR = ("scipy", "sklearn", "torch._dynamo", "torch.fx.experimental.symbolic_shapes")


def load_lean(load: Callable[[], _T]) -> _T:
    """What ``load`` returns, with stand-ins for the libraries that it imports and won't call.

    Calls it as it is unless the command was started as a process of its own (``docqa.cli.main``),
    and again as it is if it fails with the stand-ins, as some model might. Afterwards the libraries
    can be imported as usual.
    """
    if click.get_current_context().obj:
        # What is wrong without stand-ins, too, is raised below.
        with suppress(Exception), _lean_imports():
            return load()
    return load()


@contextmanager
def _lean_imports() -> Iterator[None]:
    import torch

    stand_ins = _StandIns()
    sys.meta_path.insert(0, stand_ins)
    try:
        with (
            # As if torch had been built without it, which transformers provides for.
            _replaced(torch.distributed, "is_available", lambda: False),
            # Drawing weights that are then read from a file imports SymPy.
            _replaced(torch.nn.Embedding, "reset_parameters", lambda _: None),
        ):
            yield
    finally:
        sys.meta_path.remove(stand_ins)
        stand_ins.leave()


@contextmanager
def _replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    usual = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, usual)


class _StandIns(Loader):
    """Finds, and then is, the loader of modules whose every name is a :class:`_StandIn`."""

    def __init__(self) -> None:
        self._modules: dict[str, ModuleType] = {}
        self.left = False

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if any(name == one or name.startswith(f"{one}.") for one in _STOOD_FOR):
            return ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = self._modules[spec.name] = ModuleType(spec.name)

        def stand_in(name: str) -> _StandIn:
            if name.startswith("__"):
                raise AttributeError(name)
            return _StandIn(self, spec.name, name)

        module.__getattr__ = stand_in  # type: ignore[method-assign]
        return module

    def exec_module(self, module: ModuleType) -> None:
        """There is nothing to run."""

    def leave(self) -> None:
        """Forget the modules, so that the next import finds the real ones."""
        self.left = True
        for name, module in self._modules.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]
            parent, _, child = name.rpartition(".")
            if parent in sys.modules and vars(sys.modules[parent]).get(child) is module:
                delattr(sys.modules[parent], child)


class _StandIn:
    """A function that is imported when it is called.

    Called while the stand-ins are held it gives back what it is given: what is called then are
    decorators, such as the compiler's ``disable``, and checks of whether a condition holds.
    """

    def __init__(self, stand_ins: _StandIns, module: str, name: str) -> None:
        self._stand_ins, self._module, self._name = stand_ins, module, name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._stand_ins.left:
            return getattr(import_module(self._module), self._name)(*args, **kwargs)
        return _unchanged if not args or args[0] is None else args[0]


def _unchanged(function: Callable[..., Any]) -> Callable[..., Any]:
    return function
