"""Certificates: what convinces somebody of a *holds* who trusts neither this program nor z3.

A certificate is an SMT-LIB script with an inductive invariant: `make` takes the set of reachable states, as a decision diagram,
`from_proof` the formula of a k-induction. `check` binds a certificate to the model it names and has its queries answered by z3 or cvc5.
"""

from draincheck.certificate.certification import Certified, Gap, certify
from draincheck.certificate.check import CertificateVerdict, check
from draincheck.certificate.check import check as check_certificate
from draincheck.certificate.format import MOST_STEPS, Certificate, Header, InvariantClaim, read
from draincheck.certificate.make import certifiable, from_proof, make, obstacle
from draincheck.solvers import SOLVERS

__all__ = [
    "MOST_STEPS",
    "SOLVERS",
    "Certificate",
    "CertificateVerdict",
    "Certified",
    "Gap",
    "Header",
    "InvariantClaim",
    "certifiable",
    "certify",
    "check",
    "check_certificate",
    "from_proof",
    "make",
    "obstacle",
    "read",
]  # fmt: skip
