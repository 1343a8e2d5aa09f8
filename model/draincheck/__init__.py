"""Model checking of the drain invariant of QEMU's event loop."""

__version__ = "0.1.0"
