"""The physical limit of every search with a table: how many lines of a large table can be read at random in a second.

Reads are independent of one another, and asked for 64 before they are needed, by machine code of this file's own. A search needs one of them
for each transition at least, so what it does in a second is a share of this.
"""

from __future__ import annotations

import ctypes
import mmap
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from itertools import product
from statistics import median
from threading import Barrier, Thread
from time import perf_counter, thread_time
from typing import Any

from msgspec import Struct

__all__ = ["Access", "measured"]

#: megabytes of the tables; what a search of 35 million states has at its end is half of the first
TABLES = 512, 2048
THREADS = 1, 2
#: reads of one thread in one run, and runs
READS, RUNS = 1 << 26, 3

#: reads in flight; bytes of a line of the cache
AHEAD, LINE = 64, 64

_CODE = f"""
declare void @llvm.prefetch.p0(ptr, i32, i32, i32)

define i64 @reads(ptr %table, i64 %lines, i64 %count, i64 %seed) {{
entry:
  %places = alloca [{AHEAD} x i64], align 64
  br label %batch
batch:
  %done = phi i64 [ 0, %entry ], [ %done2, %next ]
  %x0 = phi i64 [ %seed, %entry ], [ %x2, %next ]
  %sum0 = phi i64 [ 0, %entry ], [ %sum2, %next ]
  br label %ask
ask:
  %k = phi i64 [ 0, %batch ], [ %k2, %ask ]
  %x = phi i64 [ %x0, %batch ], [ %x2, %ask ]
  %x2 = add i64 %x, -7046029254386353131
  %times = mul i64 %x2, -3372029247567499371
  %high = lshr i64 %times, 32
  %mixed = xor i64 %times, %high
  %hash = mul i64 %mixed, -7046029254386353131
  %top = lshr i64 %hash, 32
  %scaled = mul i64 %top, %lines
  %line = lshr i64 %scaled, 32
  %offset = mul i64 %line, {LINE}
  %here = getelementptr [{AHEAD} x i64], ptr %places, i64 0, i64 %k
  store i64 %offset, ptr %here
  %address = getelementptr i8, ptr %table, i64 %offset
  call void @llvm.prefetch.p0(ptr %address, i32 0, i32 3, i32 1)
  %k2 = add i64 %k, 1
  %asked = icmp eq i64 %k2, {AHEAD}
  br i1 %asked, label %read, label %ask
read:
  %j = phi i64 [ 0, %ask ], [ %j2, %read ]
  %sum = phi i64 [ %sum0, %ask ], [ %sum2, %read ]
  %there = getelementptr [{AHEAD} x i64], ptr %places, i64 0, i64 %j
  %where = load i64, ptr %there
  %element = getelementptr i8, ptr %table, i64 %where
  %word = load i64, ptr %element
  %sum2 = add i64 %sum, %word
  %j2 = add i64 %j, 1
  %all = icmp eq i64 %j2, {AHEAD}
  br i1 %all, label %next, label %read
next:
  %done2 = add i64 %done, {AHEAD}
  %more = icmp ult i64 %done2, %count
  br i1 %more, label %batch, label %end
end:
  ret i64 %sum2
}}
"""


class Access(Struct, frozen=True):
    """Reads of one table.

    Attributes:
        megabytes: its size.
        threads: how many read at once.
        huge: whether the system was asked for large pages, which need fewer look-ups of addresses.
        by_clock: reads in a second, of all threads together.
        by_cpu: reads in a second of processor time.
    """

    megabytes: int
    threads: int
    huge: bool
    by_clock: float
    by_cpu: float


def measured(
    tables: Sequence[int] = TABLES, threads: Sequence[int] = THREADS, reads: int = READS, runs: int = RUNS
) -> list[Access]:
    """Each table read by each number of threads, medians of some runs. Raises ImportError without llvmlite."""
    engine = _compiled()
    function = ctypes.CFUNCTYPE(ctypes.c_uint64, *[ctypes.c_uint64] * 4)(engine.get_function_address("reads"))
    found: list[Access] = []
    for megabytes, huge, number in product(tables, (False, True), threads):
        with _table(megabytes << 20, huge) as address:
            took = [_run(function, address, (megabytes << 20) // LINE, number, reads) for _ in range(runs)]
        clock, cpu = (median(each) for each in zip(*took, strict=True))
        found.append(Access(megabytes, number, huge, number * reads / clock, number * reads / cpu))
    return found


@contextmanager
def _table(size: int, huge: bool) -> Generator[int]:
    """Where a table of so many bytes begins, each of them touched."""
    with mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as table:
        if huge:
            table.madvise(mmap.MADV_HUGEPAGE)
        place = ctypes.c_char.from_buffer(table)
        address = ctypes.addressof(place)
        ctypes.memset(address, 1, size)
        yield address
        del place  # which keeps it from being closed


def _run(
    function: Callable[[int, int, int, int], int], address: int, lines: int, threads: int, reads: int
) -> tuple[float, float]:
    """Seconds by the clock, and of processor time, until some threads have read."""
    together, cpu = Barrier(threads + 1), [0.0] * threads

    def work(number: int) -> None:
        together.wait()
        started = thread_time()
        function(address, lines, reads, number + 1)
        cpu[number] = thread_time() - started

    workers = [Thread(target=work, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    together.wait()
    started = perf_counter()
    for worker in workers:
        worker.join()
    return perf_counter() - started, sum(cpu)


def _compiled() -> Any:
    from llvmlite import binding as untyped

    binding: Any = untyped
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    target = binding.Target.from_default_triple()
    machine = target.create_target_machine(cpu=binding.get_host_cpu_name(), opt=2, jit=True)
    module = binding.parse_assembly(_CODE)
    engine = binding.create_mcjit_compiler(module, machine)
    engine.finalize_object()
    return engine
