"""Engines that hand a transition system to z3: bounded model checking (`bmc`), k-induction (`induction`), a race with explicit search (`auto`).

None of them imports z3 before it needs a solver.
"""
