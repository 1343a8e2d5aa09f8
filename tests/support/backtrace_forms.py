"""The same two stacks as each program prints them, and as people send what it prints. Written for these tests in the style of each."""

from __future__ import annotations

__all__ = ["FORMS", "READ"]

#: what is read of each: the main thread in a drain, an IOThread in its poll
READ = (
    ("main_loop_wait", "aio_bh_poll", "mirror_exit", "bdrv_drain", "aio_poll", "ppoll"),
    ("iothread_run", "aio_poll", "ppoll"),
)

_GDB = """\
Thread 2 (Thread 0x7f0000000002 (LWP 4002) "IO io:0"):
#0  0x00007f00000000a1 in ppoll () from /lib64/libc.so.6
#1  0x000055d000000101 in aio_poll (ctx=0x55d0, blocking=true) at ../util/aio-posix.c:600
#2  0x000055d000000102 in iothread_run (opaque=0x55d0) at ../iothread.c:70
#3  0x00007f00000000a2 in start_thread () from /lib64/libc.so.6
#4  0x00007f00000000a3 in clone3 () from /lib64/libc.so.6

Thread 1 (Thread 0x7f0000000001 (LWP 4001) "qemu"):
#0  0x00007f00000000a1 in ppoll () from /lib64/libc.so.6
#1  0x000055d000000101 in aio_poll (ctx=0x55d0, blocking=true) at ../util/aio-posix.c:600
#2  bdrv_drain (bs=<optimized out>) at ../block/io.c:300
#3  0x000055d000000103 in mirror_exit (job=0x55d0, opaque=0x55d1) at ../block/mirror.c:500
#4  0x000055d000000104 in aio_bh_poll (ctx=ctx@entry=0x55d0) at ../util/async.c:90
#5  0x000055d000000105 in main_loop_wait (nonblocking=0) at ../util/main-loop.c:500
#6  0x000055d000000106 in main (argc=3, argv=0x7ffe) at ../softmmu/main.c:40
"""

_FULL = """\
Thread 2 (Thread 0x7f0000000002 (LWP 4002)):
#0  0x00007f00000000a1 in ppoll () from /lib64/libc.so.6
No symbol table info available.
#1  0x000055d000000101 in aio_poll (ctx=0x55d0, blocking=true) at ../util/aio-posix.c:600
        node = 0x0
        __PRETTY_FUNCTION__ = "aio_poll"
        timeout = 0
        name = "#2  0x1 in nowhere ()"
#2  0x000055d000000102 in iothread_run (opaque=0x55d0) at ../iothread.c:70
        iothread = 0x55d0
#3  0x00007f00000000a2 in start_thread () from /lib64/libc.so.6
No symbol table info available.

Thread 1 (Thread 0x7f0000000001 (LWP 4001)):
#0  0x00007f00000000a1 in ppoll () from /lib64/libc.so.6
No symbol table info available.
#1  0x000055d000000101 in aio_poll (ctx=0x55d0, blocking=true) at ../util/aio-posix.c:600
        ret = {0x55d000000001, 0x55d000000002,
          0x55d000000003}
#2  bdrv_drain (bs=<optimized out>) at ../block/io.c:300
No locals.
#3  0x000055d000000103 in mirror_exit (job=0x55d0, opaque=0x55d1) at ../block/mirror.c:500
        __func__ = "mirror_exit"
#4  0x000055d000000104 in aio_bh_poll (ctx=ctx@entry=0x55d0) at ../util/async.c:90
        bh = 0x55d0
#5  0x000055d000000105 in main_loop_wait (nonblocking=0) at ../util/main-loop.c:500
        mlpoll = {state = 0, pollfds = 0x0}
#6  0x000055d000000106 in main (argc=3, argv=0x7ffe) at ../softmmu/main.c:40
No locals.
"""

_EU_STACK = """\
PID 4001 - process
TID 4002:
#0  0x00007f00000000a1     ppoll - /usr/lib64/libc.so.6
#1  0x000055d000000101 - 1 aio_poll - /usr/bin/qemu-system-x86_64
    ../util/aio-posix.c:600:9
#2  0x000055d000000102 - 1 iothread_run - /usr/bin/qemu-system-x86_64
    ../iothread.c:70:5
#3  0x00007f00000000a2 - 1 start_thread
#4  0x00007f00000000a3 - 1 __clone3
TID 4001:
#0  0x00007f00000000a1     ppoll - /usr/lib64/libc.so.6
#1  0x000055d000000101 - 1 aio_poll
#1  0x000055d000000101 - 1 bdrv_drain
#2  0x000055d000000103 - 1 mirror_exit
#3  0x000055d000000104 - 1 aio_bh_poll
#4  0x000055d000000105 - 1 main_loop_wait
#5  0x000055d000000106 - 1 main
"""

_COREDUMPCTL = """\
           PID: 4001 (qemu-system-x86)
        Signal: 6 (ABRT)
    Executable: /usr/bin/qemu-system-x86_64
       Message: Process 4001 (qemu-system-x86) of user 107 dumped core.

                Stack trace of thread 4002:
                #0  0x00007f00000000a1 ppoll (libc.so.6 + 0x10a1)
                #1  0x000055d000000101 aio_poll (qemu-system-x86_64 + 0x101)
                #2  0x000055d000000102 iothread_run (qemu-system-x86_64 + 0x102)
                #3  0x00007f00000000a2 start_thread (libc.so.6 + 0x10a2)
                #4  0x00007f00000000a3 clone3 (libc.so.6 + 0x10a3)

                Stack trace of thread 4001:
                #0  0x00007f00000000a1 ppoll (libc.so.6 + 0x10a1)
                #1  0x000055d000000101 aio_poll (qemu-system-x86_64 + 0x101)
                #2  0x000055d000000107 bdrv_drain (qemu-system-x86_64 + 0x107)
                #3  0x000055d000000103 mirror_exit (qemu-system-x86_64 + 0x103)
                #4  0x000055d000000104 aio_bh_poll (qemu-system-x86_64 + 0x104)
                #5  0x000055d000000105 main_loop_wait (qemu-system-x86_64 + 0x105)
                #6  0x000055d000000106 main (qemu-system-x86_64 + 0x106)
                ELF object binary architecture: AMD x86-64
"""

_ABRT = """\
Truncated backtrace:
Thread no. 2 (4 frames)
 #0 ppoll at ../sysdeps/unix/sysv/linux/ppoll.c:42
 #1 aio_poll at ../util/aio-posix.c:600
 #2 iothread_run at ../iothread.c:70
 #3 start_thread at pthread_create.c:440
Thread no. 1 (7 frames)
 #0 [libc.so.6] ppoll
 #1 [qemu-system-x86_64] aio_poll
 #2 [qemu-system-x86_64] bdrv_drain
 #3 mirror_exit at ../block/mirror.c:500
 #4 aio_bh_poll at ../util/async.c:90
 #5 main_loop_wait at ../util/main-loop.c:500
 #6 main at ../softmmu/main.c:40
"""

_LLDB = """\
(lldb) thread backtrace all
* thread #2, name = 'IO io0', stop reason = signal SIGSTOP
  * frame #0: 0x00007f00000000a1 libc.so.6`ppoll(fds=0x0000, nfds=2) at ppoll.c:42:10
    frame #1: 0x000055d000000101 qemu-system-x86_64`aio_poll(ctx=0x000055d0, blocking=true) at aio-posix.c:600:9
    frame #2: 0x000055d000000102 qemu-system-x86_64`iothread_run + 114
    frame #3: 0x00007f00000000a2 libc.so.6`start_thread + 725
  thread #1, name = 'qemu'
    frame #0: 0x00007f00000000a1 libc.so.6`ppoll + 38
    frame #1: 0x000055d000000101 qemu-system-x86_64`aio_poll(ctx=0x000055d0) at aio-posix.c:600:9
    frame #2: 0x000055d000000103 qemu-system-x86_64`mirror_exit [inlined] bdrv_drain(bs=0x000055d1) at io.c:300:5
    frame #3: 0x000055d000000103 qemu-system-x86_64`mirror_exit(job=0x000055d0) at mirror.c:500:5
    frame #4: 0x000055d000000104 qemu-system-x86_64`aio_bh_poll + 90
    frame #5: 0x000055d000000105 qemu-system-x86_64`main_loop_wait + 78
    frame #6: 0x000055d000000106 qemu-system-x86_64`main + 40
"""

_SANITIZER = """\
Thread T1:
    #0 0x7f00000000a1 in ppoll (/lib64/libc.so.6+0x10a1)
    #1 0x55d000000101 in aio_poll ../util/aio-posix.c:600:9
    #2 0x55d000000102 in iothread_run /src/qemu/iothread.c:70
    #3 0x7f00000000a2 in start_thread (/lib64/libc.so.6+0x10a2)

Thread T0:
    #0 0x7f00000000a1 in ppoll (/lib64/libc.so.6+0x10a1)
    #1 0x55d000000101 in aio_poll ../util/aio-posix.c:600:9
    #2 0x55d000000107 in bdrv_drain ../block/io.c:300
    #3 0x55d000000103 in mirror_exit ../block/mirror.c:500
    #4 0x55d000000104 in aio_bh_poll ../util/async.c:90
    #5 0x55d000000105 in main_loop_wait ../util/main-loop.c:500
    #6 0x55d000000106 in main ../softmmu/main.c:40
"""

#: the main thread runs a coroutine: who has entered it is printed below, as by `qemu bt`
_QEMU_BT = """\
Thread 2 (LWP 4002):
#0  0x00007f00000000a1 in ppoll () from /lib64/libc.so.6
#1  0x000055d000000101 in aio_poll (ctx=0x55d0, blocking=true) at ../util/aio-posix.c:600
#2  0x000055d000000102 in iothread_run (opaque=0x55d0) at ../iothread.c:70
#3  0x00007f00000000a2 in start_thread () from /lib64/libc.so.6
Thread 1 (LWP 4001):
#0  0x00007f00000000a1 in ppoll () from /lib64/libc.so.6
#1  0x000055d000000101 in aio_poll (ctx=0x55d0, blocking=true) at ../util/aio-posix.c:600
#2  0x000055d000000107 in bdrv_drain (bs=0x55d1) at ../block/io.c:300
#3  0x000055d000000103 in mirror_exit (job=0x55d0, opaque=0x55d1) at ../block/mirror.c:500
#4  0x000055d000000108 in coroutine_trampoline (i0=1, i1=2) at ../util/coroutine-ucontext.c:177
#5  0x00007f00000000a4 in __start_context () from /lib64/libc.so.6
#6  0x0000000000000000 in ?? ()
Coroutine at 0x7f0000000500:
#0  qemu_coroutine_switch (from_=0x7f0000000500, to_=0x55d5, action=COROUTINE_ENTER) at ../util/coroutine-ucontext.c:307
#1  0x000055d000000109 in qemu_aio_coroutine_enter (ctx=0x55d0, co=0x55d5) at ../util/qemu-coroutine.c:160
#2  0x000055d000000104 in aio_bh_poll (ctx=ctx@entry=0x55d0) at ../util/async.c:90
#3  0x000055d000000105 in main_loop_wait (nonblocking=0) at ../util/main-loop.c:500
#4  0x000055d000000106 in main (argc=3, argv=0x7ffe) at ../softmmu/main.c:40
"""


def _coloured(text: str) -> str:
    return "".join(
        f"\x1b[1m{line[:4]}\x1b[0m\x1b[34m{line[4:24]}\x1b[m{line[24:]}\x1b[K\n" for line in text.splitlines()
    )


def _wrapped(text: str) -> str:
    """As a mailer breaks lines, in what it quotes."""
    lines = (line for line in text.splitlines() if not line.startswith("Thread"))
    heads = (line.replace(" in ", "\n> in ").replace(" (", "\n> (") for line in lines)
    return "".join(f"> {line}\n" for line in heads)


def _paged(text: str) -> str:
    prompt = "--Type <RET> for more, q to quit, c to continue without paging--"
    return text.replace("#3 ", f"{prompt}\n#3 ").replace("#5 ", f"{prompt}#5 ")


def _journal(text: str) -> str:
    return "".join(f"Nov 26 10:11:12 host systemd-coredump[77]: {line}\n" for line in text.splitlines())


FORMS = {
    "gdb": _GDB,
    "gdb, styled": _coloured(_GDB),
    "gdb, from Windows": _GDB.replace("\n", "\r\n"),
    "gdb, in pages": _paged(_GDB),
    "gdb, with its prompt": "(gdb) thread apply all bt\n\n" + _GDB.replace("#0", "(gdb) #0"),
    "gdb, quoted": "".join(f"> > {line}\n" for line in _GDB.splitlines()),
    "gdb, quoted in HTML": "".join(f"&gt; {line}\n" for line in _GDB.splitlines()),
    "gdb, quoted and wrapped": _wrapped(_GDB),
    "gdb, as a list": "".join(f" - {line}\n" for line in _GDB.splitlines()),
    "bt full": _FULL,
    "eu-stack": _EU_STACK,
    "coredumpctl info": _COREDUMPCTL,
    "coredumpctl info, in the journal": _journal(_COREDUMPCTL),
    "ABRT": _ABRT,
    "LLDB": _LLDB,
    "a sanitizer": _SANITIZER,
}

#: the same, where the main thread runs a coroutine
FORMS_WITH_COROUTINE = {"qemu bt": _QEMU_BT}
