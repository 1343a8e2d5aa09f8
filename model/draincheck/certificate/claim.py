"""The language of claims: the only part of a certificate that a solver reads as somebody else wrote it.

A claim consists of definitions whose beginnings are given, and of terms made of a few functions of SMT-LIB:

    term     ::= constant | name | (function term+) | (let ((new term)+) term) | ((_ zero_extend n) term) | ((_ extract n n) term)
    constant ::= true | false | #b0101... | 123
    new      ::= n123 | ?123

A name is a parameter of the definition or what a `let` around it has defined. Nothing else is let through: no command, no quantifier, no
annotation, no name of the queries. So whatever a solver thinks of such a text, each definition is a function of the state, and the
queries mean what they say.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, TypeAlias

from draincheck.errors import ClaimError

__all__ = ["check_claim"]

FUNCTIONS: Final = frozenset(
    ("and", "or", "not", "=>", "=", "ite", "bvult", "bvule", "bvadd", "bvsub", "+", "-", "<", "<=", "domain")
)

#: functions with indices, and how many
INDEXED: Final = {"zero_extend": 1, "extract": 2}

CONSTANT: Final = re.compile(r"true|false|#b[01]+|[0-9]+")
NEW: Final = re.compile(r"[n?][0-9]+")
PARAMETER: Final = re.compile(r"v[0-9]+")
INDEX: Final = re.compile(r"[0-9]{1,6}")
TOKEN: Final = re.compile(r"[()]|[^ \n()]+")

#: parts that may be open at once: solvers read terms recursively. Certificates of the QEMU model come to some hundred
DEEPEST: Final = 5000


def check_claim(text: str, signatures: Sequence[str]) -> None:
    """Raise ClaimError unless the text consists of definitions that begin with these signatures, each with a term and nothing else."""
    reader = _Reader(TOKEN.findall(text))
    for signature in signatures:
        reader.definition(TOKEN.findall(signature))
    reader.end()


#: what has to be read next: a part of a term, which says what has to follow it
Task: TypeAlias = "Callable[[], Sequence[Task]]"


class _Reader:
    """Reads the tokens of a claim, one after the other. It does not recurse, because depth is up to whoever wrote the claim."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self._tokens = tokens
        self._next = 0
        self._scope: Counter[str] = Counter()

    def end(self) -> None:
        """There is nothing left."""
        if self._next < len(self._tokens):
            raise ClaimError(f"its claim goes on after the last definition: {self._rest()}")

    def definition(self, signature: Sequence[str]) -> None:
        """A definition with a signature: `(define-fun name ((parameter sort)...) sort`, without its end."""
        if list(self._tokens[self._next : self._next + len(signature)]) != list(signature):
            expected = f"(define-fun {signature[2]}"
            raise ClaimError(f"its claim has {self._rest()} where {expected} is expected, with the model's variables")
        self._next += len(signature)
        self._scope = Counter(token for token in signature if PARAMETER.fullmatch(token))
        todo: list[Task] = [self._close, self._term]
        while todo:
            if len(todo) > DEEPEST:
                raise ClaimError(f"its claim is nested too deeply, more than {DEEPEST} parts are open: {self._rest()}")
            todo += reversed(todo.pop()())

    # -- tasks ------------------------------------------------------------------------------------------------------------

    def _term(self) -> Sequence[Task]:
        token = self._token()
        if token != "(":
            if not CONSTANT.fullmatch(token) and self._scope[token] <= 0:
                raise ClaimError(f"its claim uses {_short(token)}, which is neither a constant nor in scope")
            return ()
        function = self._token()
        if function == "let":
            self._expect("(")
            return [partial(self._binding, ())]
        if function == "(":
            self._indexed()
        elif function not in FUNCTIONS:
            raise ClaimError(f"its claim uses {_short(function)}, which is no function that a claim needs")
        return [self._term, self._terms]

    def _terms(self) -> Sequence[Task]:
        """More arguments, or the end of an application."""
        return () if self._ends() else [self._term, self._terms]

    def _binding(self, names: tuple[str, ...]) -> Sequence[Task]:
        """The next definition of a `let` that has defined some names already; or its body, in which they are known."""
        if self._ends():
            self._scope.update(names)
            return [self._term, self._close, partial(self._forgotten, names)]
        self._expect("(")
        name = self._token()
        if not NEW.fullmatch(name):
            raise ClaimError(f"its claim defines {_short(name)}; what a let defines has a name like n1 or ?1")
        return [self._term, self._close, partial(self._binding, (*names, name))]

    def _forgotten(self, names: tuple[str, ...]) -> Sequence[Task]:
        """What a `let` has defined is not known behind it."""
        self._scope.subtract(names)
        return ()

    def _close(self) -> Sequence[Task]:
        self._expect(")")
        return ()

    # -- tokens -----------------------------------------------------------------------------------------------------------

    def _indexed(self) -> None:
        """The rest of `(_ function n)`."""
        self._expect("_")
        function = self._token()
        if function not in INDEXED:
            raise ClaimError(f"its claim uses {_short(function)}, which is no function that a claim needs")
        for _ in range(INDEXED[function]):
            if not INDEX.fullmatch(index := self._token()):
                raise ClaimError(f"its claim gives {function} the index {_short(index)}")
        self._expect(")")

    def _ends(self) -> bool:
        """Whether a closing parenthesis is next; it is read then."""
        if self._token() == ")":
            return True
        self._next -= 1
        return False

    def _expect(self, token: str) -> None:
        if (found := self._token()) != token:
            raise ClaimError(f"its claim has {_short(found)} where {token!r} is expected")

    def _token(self) -> str:
        if self._next == len(self._tokens):
            raise ClaimError("its claim ends in the middle of a definition")
        self._next += 1
        return self._tokens[self._next - 1]

    def _rest(self) -> str:
        """What comes next, in a few words."""
        return (
            _short("".join(self._tokens[self._next : self._next + 2])) if self._next < len(self._tokens) else "nothing"
        )


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:37]}...")
