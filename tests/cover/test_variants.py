"""What is found out about a vector is known of all that agree in what was read."""

from __future__ import annotations

from msgspec import Struct

from draincheck.variants import Variants


class Inner(Struct, frozen=True):
    """Some knobs."""

    one: bool = False
    other: bool = False


class Outer(Struct, frozen=True):
    """Knobs, and records of such."""

    size: int
    inner: Inner
    beside: Inner = Inner()

    @property
    def is_large(self) -> bool:
        """Said of itself, and not read from anywhere."""
        return self.size > 10


def test_what_is_read_of_a_record_within_is_known_by_its_path() -> None:
    """The same name in another record is another knob."""
    found, read = Variants[Outer, bool].recorded(Outer(1, Inner(one=True)), lambda v: v.inner.one and v.beside.one)
    assert (found, read) == (False, {"inner.one": True, "beside.one": False})


def test_records_that_agree_in_what_was_read_share_a_result() -> None:
    """Others are computed; the order of what is read may depend on what it was."""
    variants, asked = Variants[Outer, str](), list[Outer]()

    def compute(vector: Outer) -> str:
        return f"other {vector.inner.other}" if vector.is_large else "small"

    for vector in (Outer(1, Inner()), Outer(2, Inner(other=True)), Outer(11, Inner()), Outer(12, Inner(other=True))):
        if variants.known(vector) is None:
            asked.append(vector)
        assert variants.find(vector, compute) == compute(vector)
    assert [vector.size for vector in asked] == [1, 11, 12]
    assert variants.known(Outer(99, Inner(one=True))) == "other False"
