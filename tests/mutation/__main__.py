"""`python -m tests.mutation model --number 60 --seed 1`: make lines wrong, and see in which net each is caught."""

from __future__ import annotations

from argparse import ArgumentParser
from itertools import islice

from tests.mutation.campaign import TARGETS, Campaign, Result, drawn, summary

#: the nets of each target; `nets.py` says what they are
NETS = {"model": ("verdict", "claim", "liveness", "conformance"), "core": ("unit", "conformance", "test")}


def main() -> None:
    """Run a campaign."""
    parser = ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--number", type=int, default=60, help="so many mutants that are not stillborn")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--skip", type=int, default=0, help="so many of the first: another run has had them")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seconds", type=int, default=200, help="of the processor, after which a mutant is stopped")
    parser.add_argument("--only", default="", help="mutants whose name contains this, all of them")
    parser.add_argument("--without", action="append", default=[], help="take a net down; may be given several times")
    options = parser.parse_args()
    nets = [net for net in NETS[options.target] if net not in options.without]
    found: list[Result] = []
    wanted = (mutant for mutant in drawn(options.target, options.seed) if options.only in mutant.name)
    chosen = islice(wanted, options.skip, None)
    with Campaign(options.target, nets, seconds=options.seconds) as campaign:
        for result in campaign.run(chosen, options.number, options.processes):
            found.append(result)
            print(f"{len(found):3} {result.seconds:5.1f} s {result}", flush=True)
    print(summary(found))


if __name__ == "__main__":
    main()
