"""QEMU's main loop, AioContexts, block layer, virtio disk and mirror job in the modelling language. Start with `build`."""

from draincheck.qemu.build import build
from draincheck.qemu.probes import Probes
from draincheck.qemu.scenario import Scenario
from draincheck.qemu.world import World

__all__ = ["Probes", "Scenario", "World", "build"]
