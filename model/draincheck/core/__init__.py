"""The executable core: a small emulator of the parts of QEMU that the drain invariant is about, with real bytes.

It shares nothing with the model but the knob vectors of `draincheck.revisions`; that the two agree is therefore worth something.
"""
