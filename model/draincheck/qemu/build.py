"""Put a code base and a scenario together."""

from __future__ import annotations

from draincheck.errors import ModelError
from draincheck.knobs import Knobs
from draincheck.lang import Model, all_
from draincheck.qemu import bottom_halves, environment, iothread, mainloop, mirror
from draincheck.qemu.probes import Probes
from draincheck.qemu.scenario import Scenario, not_modelled
from draincheck.qemu.world import World

__all__ = ["build"]


def build(name: str, knobs: Knobs, scenario: Scenario, probes: Probes | None = None) -> Model:
    """The model of a code base (its knobs) in a scenario, with the checks that `probes` hang into it.

    Raises ModelError for a scenario that is not modelled.
    """
    if reason := not_modelled(scenario):
        raise ModelError(reason)
    model = Model(name)
    w = World(model, knobs, scenario, probes or Probes(), bottom_halves.run)
    w.probes.begin(w)
    mainloop.main_thread(w)
    if scenario.iothread:
        iothread.iothread(w)
    for world in w.worlds:
        mirror.mirror_run(world)
    environment.guests(w)
    environment.storage(w)
    environment.clock(w)
    environment.management(w)
    model.final(all_(*(world.job.completed for world in w.worlds), w.all_acked))
    w.probes.properties(w)
    return model
