"""The main job from end to end where there is no screen: search, choose two qualities, read both texts."""

from __future__ import annotations

from dataclasses import replace

from rich.text import Text

from undersong.core import messages as m
from undersong.core.errors import LibraryError
from undersong.core.samples import openings
from undersong.core.sampling import Sampling
from undersong.terminal.asking import ModelChoice, begin_loading, finish_loading
from undersong.terminal.compare import Streams, Wanted, faders_for, stream
from undersong.terminal.engine_client import EngineClient
from undersong.terminal.look import show_hits
from undersong.terminal.show import Screen

QUERIES = ("birds", "night and sleep", "the sea", "magic", "food")
"""Words that are searched for until enough have brought a quality with a clear name."""
QUALITIES = 2
SHOWN = 5
LEVEL = 0.7
WORDS = 60


def first_run(engine: EngineClient, choice: ModelChoice, screen: Screen) -> int:
    """Show what Undersong does; 130 if it was stopped."""
    out = screen.out
    out.print(Text("Undersong: steer a language model's prose from the inside.\n", style="bold"))
    loading = begin_loading(engine, choice)
    wanted: list[Wanted] = []
    for query in QUERIES:
        results: m.Results = engine.ask(m.Search(engine.number(), query, SHOWN))
        hit = next((hit for hit in results.hits if hit.clear and not results.nearest), None)
        if hit and all(f"#{hit.feature}" != one.asked for one in wanted):
            out.print(Text(f"Searching for “{query}”:"))
            show_hits(results.hits, screen)
            out.print(Text(f"Taking #{hit.feature}, “{hit.label}”, at {LEVEL:+.1f}.\n"))
            wanted.append(Wanted(f"#{hit.feature}", LEVEL))
        if len(wanted) == QUALITIES:
            break
    if not wanted:
        raise LibraryError("None of the qualities in the library has a clear name; the tour needs one.")
    loaded = finish_loading(engine, loading, screen)
    faders = faders_for(engine, loaded, wanted, screen)
    streams = Streams(openings()[0], faders, heated=True)
    whole = stream(engine, streams, 1.0, replace(Sampling(), words=WORDS), screen)
    out.print(HINTS)
    return 0 if whole else 130


HINTS = Text("""\
Go on from here:
  undersong search "a storm"                       which qualities there are
  undersong inspect 17                             what one of them is
  undersong compare --prompt "One day" --feature "the sea" 0.8 --feature "#17" -0.5
  undersong doctor                                 how this installation is
(undersong lies in the virtual environment's bin folder.) With a screen, the same command opens the window.""")
