"""What the kernel is made of beside its own text: constants, and the operations that are few instructions, or depend on the width of a state.

Each operation is here twice: as Python, for who reads or runs the kernel as it stands, and as LLVM assembly.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, MutableSequence, Sequence
from typing import Final

from draincheck.chance import HALF, LAST, MIXING, STEP, chosen, following
from draincheck.native.kernel_text import Signature
from draincheck.native.width import WORD

__all__ = [
    "PARTS",
    "SHARED",
    "add",
    "bucket_of",
    "chosen",
    "claim",
    "following",
    "key_of",
    "look",
    "lowest",
    "matches",
    "parts_text",
    "prefetch",
    "prefetch_byte",
    "slots",
]

#: what stands where in the block that the kernel shares with its caller: numbers, and where arrays and functions are
AT, UNTIL, STORED, ROOM, MOST, BUCKETS, TRANSITIONS, DEAD, LAST_DEAD = range(9)
ORDER, TABLE, OUT, PLACES, FIRED, NOTED, NO_FIRED, NO_NOTED, SOUGHT, MARKS, PATH, EXPAND = range(9, 21)

#: the same for random walks
LISTED, ACTS, MET, CHANCES, LENGTHS, DEPTH, LONGEST, STEPS, WANTED, FAULTY, ACTION_OF, CONDITIONS, IN_STATES, IN_ALL = (
    range(21, 35)
)

#: the same for graphs: edges; strongly connected parts; ways to wait
BUFFER, NUMBERS, STARTS, ACTIONS, TARGETS, GRANTS, ENABLED, CUT, CUTS, HOLDING = range(35, 45)
ROOT, INSIDE, INDEX, LOW, CALLS, POSITIONS, CALLED, ENTERED, HOME, HOMES = range(45, 55)
SOMEWHERE, EVERYWHERE, TAKEN, ROUND, WEAK, STRONG, FAIR, FIRST_FAIR, LEFT = range(55, 64)
DEPTHS, WAITED, ORIGINS, QUEUE, HEAD, TAIL, BEGUN, NEXT_BEGUN, BEGINNINGS, FOLLOWED, REACHED = range(64, 75)

#: how much that is
SHARED: Final = 75

#: states whose successors are collected before the first of them is looked for
BATCH: Final = 32

#: the bit of a mark that says that a walk has been there
VISITED: Final = 128

#: slots of a bucket for states of one word: a line of the cache
SLOTS: Final = 8

#: what is added to a state of one word where it is stored, so that none is zero; wider ones get their highest bit, which no state has
KEY: Final = 1

#: the highest word of a slot that somebody is storing a wide state in: that of no state that is stored
BUSY: Final = 1

#: odd numbers with as many ones as zeros, by which words are mixed
MIX: Final = 0x9E3779B97F4A7C15, 0xD1342543DE82EF95

MASK: Final = (1 << WORD) - 1


def slots(words: int) -> int:
    """The slots of a bucket for states of so many words: about a line of the cache, and two at least."""
    return max(2, SLOTS // words)


def bucket_of(state: int, buckets: int) -> int:
    """The bucket that the hash of a state names."""
    mixed = 0
    while state or not mixed:
        mixed = ((mixed ^ (state & MASK)) * MIX[0]) & MASK
        mixed ^= mixed >> 32
        state >>= WORD
        if not state:
            break
    return (((mixed * MIX[1]) & MASK) >> 32) * buckets >> 32


def matches(table: Sequence[int], first: int, key: int) -> int:
    """Which slots of a bucket have a key: a bit for each."""
    return sum(1 << slot for slot in range(SLOTS) if table[first + slot] == key)


def look(table: Sequence[int], first: int, key: int) -> int:
    """The same, and above these bits another for each slot that is free: as they were at one moment."""
    return matches(table, first, key) | matches(table, first, 0) << SLOTS


def claim(table: MutableSequence[int], slot: int, key: int) -> int:
    """Put a key into a slot if that is free: 1 if it was.

    A key of several words needs several writes: whoever wins the highest word makes it `BUSY`, writes the others, and the highest last. Who
    looks at the slot meanwhile waits.
    """
    if table[slot]:
        return 0
    table[slot] = key
    return 1


def add(words: MutableSequence[int], place: int, number: int) -> int:
    """Add to a word, as one step: what it was before."""
    words[place] += number
    return words[place] - number


def lowest(bits: int) -> int:
    """The number of the lowest bit that is set."""
    return (bits & -bits).bit_length() - 1


def prefetch(table: Sequence[int], slot: int) -> int:
    """Have the line of a slot brought into the cache."""
    return 0


def prefetch_byte(marks: Sequence[int], slot: int) -> int:
    """The same for a mark."""
    return 0


#: what they take, as the kernel's translator wants to know it
PARTS: Final[Mapping[str, Signature]] = {
    "bucket_of": Signature(("State", "Word"), "Word"),
    "matches": Signature(("States", "Word", "State"), "Word"),
    "look": Signature(("States", "Word", "State"), "Word"),
    "claim": Signature(("States", "Word", "State"), "Word"),
    "add": Signature(("Words", "Word", "Word"), "Word"),
    "lowest": Signature(("Word",), "Word"),
    "following": Signature(("Word",), "Word"),
    "chosen": Signature(("Word", "Word"), "Word"),
    "min": Signature(("Word", "Word"), "Word"),
    "max": Signature(("Word", "Word"), "Word"),
    "prefetch": Signature(("States", "Word"), "Word"),
    "prefetch_byte": Signature(("Bytes", "Word"), "Word"),
    "Expand": Signature(("States", "Word", "States", "Word", "Bytes", "States"), "Word"),
    "Listed": Signature(("States", "Word", "States", "Word", "Words", "Words"), "Word"),
    "Holds": Signature(("States", "Word"), "Word"),
}

_COMMON = """\
declare i64 @llvm.cttz.i64(i64, i1)
define internal i64 @prefetch_byte(ptr %marks, i64 %slot) alwaysinline {
  %place = getelementptr i8, ptr %marks, i64 %slot
  call void @llvm.prefetch.p0(ptr %place, i32 1, i32 3, i32 1)
  ret i64 0
}

declare i64 @llvm.umin.i64(i64, i64)
declare i64 @llvm.umax.i64(i64, i64)
declare void @llvm.prefetch.p0(ptr, i32, i32, i32)

define internal i64 @lowest(i64 %bits) alwaysinline {
  %found = call i64 @llvm.cttz.i64(i64 %bits, i1 true)
  ret i64 %found
}

define internal i64 @min(i64 %one, i64 %other) alwaysinline {
  %less = call i64 @llvm.umin.i64(i64 %one, i64 %other)
  ret i64 %less
}

define internal i64 @max(i64 %one, i64 %other) alwaysinline {
  %more = call i64 @llvm.umax.i64(i64 %one, i64 %other)
  ret i64 %more
}

define internal i64 @add(ptr %words, i64 %place, i64 %number) alwaysinline {
  %at = getelementptr i64, ptr %words, i64 %place
  %was = atomicrmw add ptr %at, i64 %number acq_rel
  ret i64 %was
}
"""

#: for states of one word: a line of the cache is read once, and compared as a whole
_LINE = f"""\
define internal i64 @matches(ptr %table, i64 %first, i64 %key) alwaysinline {{
  %place = getelementptr i64, ptr %table, i64 %first
  %line = load <{SLOTS} x i64>, ptr %place, align 64
  %found = call i64 @compare(<{SLOTS} x i64> %line, i64 %key)
  ret i64 %found
}}

define internal i64 @look(ptr %table, i64 %first, i64 %key) alwaysinline {{
  %place = getelementptr i64, ptr %table, i64 %first
  %line = load volatile <{SLOTS} x i64>, ptr %place, align 64
  %found = call i64 @compare(<{SLOTS} x i64> %line, i64 %key)
  %free = call i64 @compare(<{SLOTS} x i64> %line, i64 0)
  %above = shl i64 %free, {SLOTS}
  %both = or i64 %found, %above
  ret i64 %both
}}

define internal i64 @compare(<{SLOTS} x i64> %line, i64 %key) alwaysinline {{
  %one = insertelement <{SLOTS} x i64> poison, i64 %key, i32 0
  %all = shufflevector <{SLOTS} x i64> %one, <{SLOTS} x i64> poison, <{SLOTS} x i32> zeroinitializer
  %equal = icmp eq <{SLOTS} x i64> %line, %all
  %bits = bitcast <{SLOTS} x i1> %equal to i{SLOTS}
  %found = zext i{SLOTS} %bits to i64
  ret i64 %found
}}

define internal i64 @claim(ptr %table, i64 %slot, i64 %key) alwaysinline {{
  %place = getelementptr i64, ptr %table, i64 %slot
  %was = cmpxchg ptr %place, i64 0, i64 %key acq_rel acquire
  %won = extractvalue {{ i64, i1 }} %was, 1
  %new = zext i1 %won to i64
  ret i64 %new
}}
"""


def parts_text(words: int) -> str:
    """The assembly of all of them for states of so many words."""
    own = [_LINE] if words == 1 else [_slots_text(words), _look_text(words), _claim_text(words)]
    return "\n\n".join([_COMMON, _chance_text(), _prefetch_text(words), _bucket_text(words), *own])


def _chance_text() -> str:
    """What `chance` says, in words: sums and products drop what does not fit."""
    lines = [
        "define internal i64 @following(i64 %state) alwaysinline {",
        f"  %next = add i64 %state, {STEP}",
        "  ret i64 %next",
        "}",
        "",
        "define internal i64 @chosen(i64 %state, i64 %number) alwaysinline {",
    ]
    word = "%state"
    for n, (places, factor) in enumerate((*MIXING, (LAST, 1))):
        lines += [
            f"  %moved{n} = lshr i64 {word}, {places}",
            f"  %mixed{n} = xor i64 {word}, %moved{n}",
            f"  %word{n} = mul i64 %mixed{n}, {factor}",
        ]
        word = f"%word{n}"
    lines += [
        f"  %half = lshr i64 {word}, {HALF}",
        "  %scaled = mul i64 %half, %number",
        f"  %chosen = lshr i64 %scaled, {HALF}",
        "  ret i64 %chosen",
        "}",
    ]
    return "\n".join(lines)


def _prefetch_text(words: int) -> str:
    return f"""\
define internal i64 @prefetch(ptr %table, i64 %slot) alwaysinline {{
  %first = mul i64 %slot, {words}
  %place = getelementptr i64, ptr %table, i64 %first
  call void @llvm.prefetch.p0(ptr %place, i32 1, i32 3, i32 1)
  ret i64 0
}}"""


def _bucket_text(words: int) -> str:
    kind = f"i{words * WORD}"
    lines = [f"define internal i64 @bucket_of({kind} %state, i64 %buckets) alwaysinline {{"]
    mixed = "0"
    for n in range(words):
        lines += [
            f"  %part{n} = lshr {kind} %state, {n * WORD}",
            f"  %word{n} = trunc {kind} %part{n} to i64" if words > 1 else f"  %word{n} = or i64 %part{n}, 0",
            f"  %with{n} = xor i64 %word{n}, {mixed}",
            f"  %times{n} = mul i64 %with{n}, {MIX[0]}",
            f"  %high{n} = lshr i64 %times{n}, 32",
            f"  %mixed{n} = xor i64 %times{n}, %high{n}",
        ]
        mixed = f"%mixed{n}"
    lines += [
        f"  %hash = mul i64 {mixed}, {MIX[1]}",
        "  %top = lshr i64 %hash, 32",
        "  %scaled = mul i64 %top, %buckets",
        "  %bucket = lshr i64 %scaled, 32",
        "  ret i64 %bucket",
        "}",
    ]
    return "\n".join(lines)


def _slots_text(words: int) -> str:
    kind, before = f"i{words * WORD}", "0"
    lines = [f"define internal i64 @matches(ptr %table, i64 %first, {kind} %key) alwaysinline {{"]
    for n in range(slots(words)):
        lines += [
            f"  %slot{n} = add i64 %first, {n}",
            f"  %word{n} = mul i64 %slot{n}, {words}",
            f"  %place{n} = getelementptr i64, ptr %table, i64 %word{n}",
            f"  %here{n} = load {kind}, ptr %place{n}, align 8",
            f"  %equal{n} = icmp eq {kind} %here{n}, %key",
            f"  %bit{n} = select i1 %equal{n}, i64 {1 << n}, i64 0",
            f"  %found{n} = or i64 {before}, %bit{n}",
        ]
        before = f"%found{n}"
    return "\n".join([*lines, f"  ret i64 {before}", "}"])


def key_of(words: int) -> int:
    """What is added to a state of so many words where it is stored."""
    return KEY if words == 1 else 1 << (words * WORD - 1)


def _word(number: int, words: int) -> int:
    """Where a word of a state stands in memory, the lowest being number 0."""
    return number if sys.byteorder == "little" else words - 1 - number


def _words_text(words: int, slot: str) -> list[str]:
    """The words of a key, and where those of a slot are: %key0, %place0, ..."""
    lines = [f"  %base = mul i64 {slot}, {words}"]
    for n in range(words):
        lines += [
            f"  %moved{n} = lshr i{words * WORD} %key, {n * WORD}",
            f"  %key{n} = trunc i{words * WORD} %moved{n} to i64",
            f"  %word{n} = add i64 %base, {_word(n, words)}",
            f"  %place{n} = getelementptr i64, ptr %table, i64 %word{n}",
        ]
    return lines


def _claim_text(words: int) -> str:
    top = words - 1
    lines = [f"define internal i64 @claim(ptr %table, i64 %slot, i{words * WORD} %key) alwaysinline {{", "entry:"]
    lines += _words_text(words, "%slot")
    lines += [
        f"  %was = cmpxchg ptr %place{top}, i64 0, i64 {BUSY} acq_rel acquire",
        "  %won = extractvalue { i64, i1 } %was, 1",
        "  br i1 %won, label %mine, label %other",
        "mine:",
        *(f"  store i64 %key{n}, ptr %place{n}, align 8" for n in range(top)),
        f"  store atomic i64 %key{top}, ptr %place{top} release, align 8",
        "  ret i64 1",
        "other:",
        "  ret i64 0",
        "}",
    ]
    return "\n".join(lines)


def _look_text(words: int) -> str:
    kind, sums = f"i{words * WORD}", "0"
    lines = [f"define internal i64 @look(ptr %table, i64 %first, {kind} %key) alwaysinline {{", "entry:"]
    for n in range(slots(words)):
        lines += [
            f"  %slot{n} = add i64 %first, {n}",
            f"  %seen{n} = call i64 @look_at(ptr %table, i64 %slot{n}, {kind} %key)",
            f"  %bits{n} = shl i64 %seen{n}, {n}",
            f"  %sum{n} = or i64 {sums}, %bits{n}",
        ]
        sums = f"%sum{n}"
    return "\n".join([*lines, f"  ret i64 {sums}", "}", "", _look_at_text(words)])


def _look_at_text(words: int) -> str:
    """Whether one slot has a key, and as bit number `SLOTS` whether it is free; as soon as nobody is storing there."""
    top, same = words - 1, "%same"
    lines = [f"define internal i64 @look_at(ptr %table, i64 %slot, i{words * WORD} %key) alwaysinline {{", "entry:"]
    lines += _words_text(words, "%slot")
    lines += [
        "  br label %wait",
        "wait:",
        f"  %top = load atomic i64, ptr %place{top} acquire, align 8",
        f"  %busy = icmp eq i64 %top, {BUSY}",
        "  br i1 %busy, label %wait, label %stored",
        "stored:",
        f"  %same = icmp eq i64 %top, %key{top}",
    ]
    for n in range(top):
        lines += [
            f"  %here{n} = load i64, ptr %place{n}, align 8",
            f"  %equal{n} = icmp eq i64 %here{n}, %key{n}",
            f"  %same{n} = and i1 {same}, %equal{n}",
        ]
        same = f"%same{n}"
    return "\n".join(
        [
            *lines,
            f"  %found = zext i1 {same} to i64",
            "  %is_free = icmp eq i64 %top, 0",
            f"  %free = select i1 %is_free, i64 {1 << slots(words)}, i64 0",
            "  %both = or i64 %found, %free",
            "  ret i64 %both",
            "}",
        ]
    )
