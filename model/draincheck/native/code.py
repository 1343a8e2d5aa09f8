"""From LLVM assembly to functions that can be called: llvmlite, and what was made before."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path
from threading import RLock
from typing import Any

import llvmlite.binding

from draincheck.native.cache import kept

__all__ = ["Code", "loaded"]

#: a function of words, addresses among them
Function = Callable[..., int]


class Code:
    """Machine code in memory, for as long as somebody holds this."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        self._functions: dict[str, Function] = {}

    def address(self, name: str) -> int:
        """Where a function is."""
        return int(self._engine.get_function_address(name))

    def call(self, name: str, *words: int) -> int:
        """Call a function; other threads may run meanwhile."""
        function = self._functions.get(name)
        if function is None:
            kind = ctypes.CFUNCTYPE(ctypes.c_uint64, *[ctypes.c_uint64] * len(words))
            function = self._functions[name] = kind(self.address(name))
        return function(*words)


#: held while a text is written and compiled: two threads that parse at once meet a fault of CPython 3.11 (AST constructor recursion depth mismatch)
_WRITING = RLock()


def loaded(key: str, write: Callable[[], str], level: int) -> Code:
    """The code of an assembly text.

    Args:
        key: what the text depends on, beside this room.
        write: writes it; not asked for what was kept.
        level: how hard LLVM tries when it chooses instructions (0..3).

    Raises ImportError without llvmlite.
    """
    machine = _machine(level)
    with _WRITING:
        return machine.load(kept(f"{machine.name}\0{key}".encode(), lambda: machine.compile(write())))


@cache
def _machine(level: int) -> _Machine:
    return _Machine(level)


@cache
def _own_digest() -> str:
    """A digest of the files of this room, which decide what is made of a text."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


class _Machine:
    """This computer's processor, as LLVM knows it.

    Attributes:
        name: all that code for it depends on: versions, the processor, the level.
    """

    def __init__(self, level: int) -> None:
        binding: Any = llvmlite.binding
        binding.initialize_native_target()
        binding.initialize_native_asmprinter()
        self._llvm = binding
        self._target = binding.Target.from_default_triple()
        self._options: dict[str, Any] = {
            "cpu": binding.get_host_cpu_name(),
            "features": binding.get_host_cpu_features().flatten(),
            "opt": level,
            "reloc": "pic",
            "jit": True,
        }
        versions = str(llvmlite.__version__), str(binding.llvm_version_info), _own_digest(), str(self._target.triple)
        self.name = f"{versions} {sorted(self._options.items())}"

    def compile(self, text: str) -> bytes:
        """The object code of an assembly text."""
        machine = self._target.create_target_machine(**self._options)
        module = self._module(text)
        module.data_layout = str(machine.target_data)
        self._tidy(module, machine)
        return bytes(machine.emit_object(module))

    def _tidy(self, module: Any, machine: Any) -> None:
        """What costs little and makes the code half as long: calls of a line written out, variables in registers."""
        passes = self._llvm.create_new_module_pass_manager()
        passes.add_always_inliner_pass()
        passes.add_sroa_pass()
        passes.add_simplify_cfg_pass()
        tuning = self._llvm.create_pipeline_tuning_options(speed_level=1)
        passes.run(module, self._llvm.create_pass_builder(machine, tuning))

    def load(self, code: bytes) -> Code:
        """Object code in memory, ready to be called."""
        engine = self._llvm.create_mcjit_compiler(self._module(""), self._target.create_target_machine(**self._options))
        engine.add_object_file(self._llvm.object_file.ObjectFileRef.from_data(code))
        engine.finalize_object()
        return Code(engine)

    def _module(self, text: str) -> Any:
        module = self._llvm.parse_assembly(text)
        module.triple = self._target.triple
        return module
