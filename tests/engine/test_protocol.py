"""Every invariant of the protocol, on the real engine process and on the scripted one."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import undersong
from tests.engine import tiny
from tests.engine.client import Client
from tests.engine.tiny import PROMPT, Folders, sampling
from undersong.core import messages as m
from undersong.core.mixing import Fader, FeatureRef
from undersong.core.sampling import Sampling

COMMANDS = {
    "real": [sys.executable, "-m", "undersong", "engine"],
    "fake": [sys.executable, str(Path(__file__).parents[1] / "fakes" / "engine.py")],
}
numbers = itertools.count(100)


@pytest.fixture(scope="module")
def roomy(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """A model that can go on for longer than any test looks at it."""
    return tiny.make(tmp_path_factory.mktemp("roomy"), context=8192)


@pytest.fixture(scope="module", params=["real", "fake"])
def client(request: pytest.FixtureRequest, roomy: Folders) -> Iterator[Client]:
    """An engine with a model, shared by the tests of this module; every request gets a new id."""
    client = Client.start(COMMANDS[request.param])
    client.load_fields = roomy.fields()
    client.load()
    yield client
    client.close()


@pytest.fixture(params=["real", "fake"])
def fresh(request: pytest.FixtureRequest, roomy: Folders) -> Iterator[Client]:
    """An engine that has just started."""
    client = Client.start(COMMANDS[request.param], FAKE_LOAD_SECONDS="1")
    client.load_fields = roomy.fields()
    yield client
    client.close()


def generation(client: Client, level: float = 0.0, watch: tuple[int, ...] = (), **changes: object) -> m.Generate:
    """Two panes, the second with one fader."""
    fader = Fader(FeatureRef(client.sae, 3), level, unit=20.0)
    panes = (m.Pane("base"), m.Pane("mix", (fader,)))
    fields = {"prompt": PROMPT, "panes": panes, "sampling": sampling(), "watch": watch}
    return m.Generate(next(numbers), **fields | changes)  # type: ignore[arg-type]


def long() -> Sampling:
    """Far more words than any test waits for, and no unlikely ones, such as the end of the text."""
    return sampling(words=20_000, temperature=0.7, top_p=0.5)


def test_ready_comes_first_and_names_the_protocol(client: Client) -> None:
    assert client.seen[0] == m.Ready(0, m.PROTOCOL, undersong.__version__)
    assert sum(isinstance(event, m.Ready) for event in client.seen) == 1


def test_loading_reports_progress_and_the_model(client: Client) -> None:
    events = client.of(1)
    fractions = [event.fraction for event in events if isinstance(event, m.Progress)]
    assert fractions == sorted(fractions)
    assert len(fractions) >= 3
    assert isinstance(events[-1], m.Loaded)
    assert [check.name for check in events[-1].checks] == ["zero", "hook", "variance", "cache"]
    assert events[-1].unit > 0


def test_every_request_gets_exactly_one_terminal_event(client: Client) -> None:
    start = len(client.seen)
    good = generation(client, 1.0)
    requests: list[m.Request] = [
        good,
        m.Read(next(numbers), "The boat.", (1, 2)),
        m.Search(next(numbers), "sea"),
        m.Inspect(next(numbers), 1),
        m.Generate(next(numbers), " ", good.panes, good.sampling),
        m.Read(next(numbers), "The boat.", (client.features,)),
        m.Inspect(next(numbers), 999_999),
        m.Search(next(numbers), ""),
    ]
    client.send(*requests, m.Levels(good.id, 1, ()), m.Watch(good.id, (1,)), m.Stop(good.id + 50))
    open_ids = {request.id for request in requests}
    while open_ids:
        open_ids.discard(client.until(lambda event: isinstance(event, m.TERMINAL)).id)
    last = m.Search(next(numbers), "the end")
    client.ask(last)
    ended = [event.id for event in client.seen[start:] if isinstance(event, m.TERMINAL)]
    assert sorted(ended) == sorted(request.id for request in [*requests, last])
    failed = {event.id: event for event in client.seen[start:] if isinstance(event, m.Failed)}
    assert failed.keys() == {requests[i].id for i in (4, 5, 6)}
    assert failed[requests[4].id].message.startswith("The opening is empty.")
    assert f"There is no quality number {client.features}" in failed[requests[5].id].message
    assert {event.code for event in failed.values()} == {"request"}


def test_events_of_a_generation_keep_their_order(client: Client) -> None:
    request = generation(client, 1.0, watch=(1, 4))
    finished = client.ask(request)
    tokens = [event for event in client.of(request.id) if isinstance(event, m.Tokens)]
    assert [event.step for event in tokens] == list(range(len(tokens)))
    assert isinstance(finished, m.Finished)
    assert client.of(request.id)[-1] is finished
    assert all(len(event.texts) == 2 for event in tokens)
    ended = [row for event in tokens for row in event.ended]
    assert sorted(ended) == [0, 1]
    assert set(finished.reasons) <= {"words", "end", "context"}
    assert not tokens[0].readings
    for event in tokens[1:]:
        assert event.watched == (1, 4)
        assert [len(row) for row in event.readings] == [2, 2]


def test_zero_is_the_base_and_the_same_request_gives_the_same_text(client: Client) -> None:
    first, second, pushed = generation(client), generation(client), generation(client, 1.0)
    for request in (first, second, pushed):
        client.ask(request)
    base, mixed = client.texts(first.id)
    assert base
    assert base == mixed
    assert client.texts(second.id) == [base, base]
    assert client.texts(pushed.id)[0] == base
    assert client.texts(pushed.id)[1] != base


def test_levels_act_while_streaming_and_have_no_reply(client: Client) -> None:
    request = generation(client, sampling=long())
    client.send(request)
    client.wait(m.Tokens, request.id)
    fader = Fader(FeatureRef(client.sae, 3), 2.0, unit=20.0)
    client.send(m.Levels(request.id, 1, (fader,)))
    parted = client.until(lambda e: isinstance(e, m.Tokens) and e.id == request.id and e.texts[0] != e.texts[1])
    assert isinstance(parted, m.Tokens)
    client.send(m.Stop(request.id))
    client.wait(m.Finished, request.id)
    before = [e for e in client.of(request.id) if isinstance(e, m.Tokens) and e.step < parted.step]
    assert all(event.texts[0] == event.texts[1] for event in before)
    assert not any(isinstance(event, (m.Failed, m.Notice)) for event in client.of(request.id))


def test_levels_that_make_no_sense_are_noticed_and_change_nothing(client: Client) -> None:
    request = generation(client, sampling=long())
    bad = Fader(FeatureRef(client.sae, 5000), 1.0)
    good = Fader(FeatureRef(client.sae, 3), 1.0)
    client.send(request, m.Levels(request.id, 1, (bad,)), m.Levels(request.id, 0, (good,)))
    notices = [client.wait(m.Notice, request.id).message for _ in range(2)]
    client.send(m.Stop(request.id))
    client.wait(m.Finished, request.id)
    base, mixed = client.texts(request.id)
    assert "There is no quality number 5000" in notices[0]
    assert "cannot have faders" in notices[1]
    assert base == mixed


def test_watch_changes_what_is_read(client: Client) -> None:
    request = generation(client, sampling=long())
    client.send(request, m.Watch(request.id, (7,)))
    event = client.until(lambda e: isinstance(e, m.Tokens) and e.id == request.id and e.watched == (7,))
    assert isinstance(event, m.Tokens)
    assert [len(row) for row in event.readings] == [1, 1]
    client.send(m.Stop(request.id))
    client.wait(m.Finished, request.id)


def test_stop_acts_at_the_next_token_and_the_text_stays(client: Client) -> None:
    request = generation(client, sampling=long())
    client.send(request, m.Stop(request.id))
    finished = client.wait(m.Finished, request.id)
    assert finished.reasons == ("stopped", "stopped")
    assert max(finished.tokens) <= 2
    assert finished.tokens[0] == len([e for e in client.of(request.id) if isinstance(e, m.Tokens)])


def test_a_waiting_generation_can_be_stopped(client: Client) -> None:
    first, second = generation(client, sampling=long()), generation(client, sampling=long())
    client.send(first, second, m.Stop(second.id), m.Stop(first.id))
    assert client.wait(m.Finished, first.id).reasons == ("stopped", "stopped")
    assert client.wait(m.Finished, second.id).reasons == ("stopped", "stopped")


def test_searching_and_reading_work_while_a_text_streams(client: Client) -> None:
    request = generation(client, sampling=long())
    search, read, inspect = (
        m.Search(next(numbers), "sea"),
        m.Read(next(numbers), "The sea.", (1,)),
        m.Inspect(next(numbers), 2),
    )
    client.send(request)
    client.wait(m.Tokens, request.id)
    client.send(search, read, inspect)
    waiting = {search.id: m.Results, read.id: m.Reading, inspect.id: m.Inspected}
    while waiting:
        event = client.until(lambda event: isinstance(event, m.TERMINAL))
        assert isinstance(event, waiting.pop(event.id)), "answered before the text has ended"
    client.send(m.Stop(request.id))
    client.wait(m.Finished, request.id)
    reading = next(e for e in client.of(read.id) if isinstance(e, m.Reading))
    assert "".join(reading.pieces) == "The sea."
    assert [len(row) for row in reading.values] == [len(reading.pieces)]


def test_unknown_requests_fail_and_the_engine_lives_on(client: Client) -> None:
    id = next(numbers)
    client.send_lines(json.dumps({"type": "Dance", "id": id}) + "\n")
    assert client.wait(m.Failed, id).code == "unknown"
    client.send_lines("this is no message\n")
    assert "not JSON" in client.wait(m.Failed, 0).message
    client.send_lines(json.dumps({"type": "Read", "id": id + 1000, "text": "x"}) + "\n")
    assert "features" in client.wait(m.Failed, id + 1000).message
    assert isinstance(client.ask(m.Search(next(numbers), "sea")), m.Results)


def test_a_very_long_opening_is_cut_with_a_notice(client: Client) -> None:
    request = generation(client, prompt="The sea was calm. " * 5600)
    assert isinstance(client.ask(request), m.Finished)
    first = client.of(request.id)[0]
    assert isinstance(first, m.Notice)
    assert first.message.startswith("Your opening is about 22,400 words; this model can hold about ")


def test_before_loading_there_is_nothing_to_use(fresh: Client) -> None:
    answers = [fresh.ask(m.Search(2, "sea")), fresh.ask(m.Inspect(3, 1))]
    assert [a.code for a in answers if isinstance(a, m.Failed)] == ["library", "library"]


def test_searching_works_while_loading_and_loading_can_be_stopped(fresh: Client) -> None:
    fresh.send(m.Load(1, **fresh.load_fields, device="cpu"))
    assert isinstance(fresh.ask(m.Search(2, "sea")), m.Results)
    fresh.send(m.Stop(1))
    failed = fresh.wait(m.Failed, 1)
    assert failed.code == "stopped"
    assert not any(isinstance(event, m.Loaded) for event in fresh.seen)
    assert isinstance(fresh.ask(m.Search(3, "sea")), m.Results)


@pytest.mark.parametrize("moment", ["idle", "loading"])
def test_the_end_of_input_ends_the_engine(fresh: Client, moment: str) -> None:
    if moment == "loading":
        fresh.send(m.Load(1, **fresh.load_fields, device="cpu"))
        fresh.wait(m.Progress, 1)
    fresh.input.close()
    assert fresh.process.wait(timeout=60) == 0
    assert not any(isinstance(event, m.Failed) for event in fresh.events())


def test_the_end_of_input_ends_the_engine_in_the_middle_of_a_text(fresh: Client) -> None:
    fresh.load()
    request = generation(fresh, sampling=long())
    fresh.send(request)
    fresh.wait(m.Tokens, request.id)
    fresh.input.close()
    assert fresh.process.wait(timeout=60) == 0
