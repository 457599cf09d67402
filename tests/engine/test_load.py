"""Loading a model: every way its folder can be broken gets a sentence that names the file."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tests.engine import tiny
from tests.engine.tiny import Folders, fader, sampling, two_panes
from undersong.core import messages as m
from undersong.core.errors import ModelError, ModelNotFound, RequestError, Unsupported, WontFit, WrongSae
from undersong.core.mixing import Fader, FeatureRef
from undersong.engine import memory
from undersong.engine.engine import Engine
from undersong.engine.load import choose_device


@pytest.fixture
def broken(folders: Folders, tmp_path: Path) -> Folders:
    """A copy to break."""
    shutil.copytree(folders.model.parent, tmp_path / "copy")
    copy = tmp_path / "copy"
    return Folders(copy / "language_model", copy / "sae", copy / "library.sqlite")


def load(folders: Folders, engine: Engine | None = None) -> m.Loaded:
    """Load into an engine without looking at the progress."""
    return (engine or Engine()).load(m.Load(1, **folders.fields(), device="cpu"), 20, lambda _stage, _fraction: None)


@pytest.fixture(scope="module")
def engine(folders: Folders) -> Engine:
    """An engine with the tiny model."""
    engine = Engine()
    load(folders, engine)
    return engine


def halve(path: Path) -> None:
    """Lose the second half of a file."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def another_kind(path: Path) -> None:
    """Say that the model is of a kind nobody knows."""
    path.write_text(json.dumps(json.loads(path.read_text()) | {"model_type": "abacus"}))


@pytest.mark.parametrize(
    ("file", "damage", "error", "sentence"),
    [
        ("config.json", Path.unlink, ModelNotFound, "config.json is missing"),
        ("config.json", halve, ModelNotFound, "config.json is damaged"),
        ("config.json", lambda p: p.write_text("{}"), ModelNotFound, "which kind of model"),
        ("config.json", another_kind, Unsupported, "of a kind this version cannot open"),
        ("model.safetensors", Path.unlink, ModelNotFound, "model.safetensors is missing"),
        ("model.safetensors", halve, ModelNotFound, "model.safetensors .* copied only in part"),
        ("model.safetensors", lambda p: p.write_bytes(b""), ModelNotFound, "copied only in part"),
        ("model.safetensors", lambda p: p.write_bytes(b"x" * 999), ModelNotFound, "copied only in part"),
        ("tokenizer.json", Path.unlink, ModelNotFound, "tokenizer.json is missing"),
        ("tokenizer.json", halve, ModelNotFound, "tokenizer.json is damaged"),
    ],
)
def test_a_broken_model_gets_a_sentence(
    broken: Folders, file: str, damage: Callable[[Path], object], error: type[ModelError], sentence: str
) -> None:
    damage(broken.model / file)
    with pytest.raises(error, match=sentence):
        load(broken)


def test_a_folder_that_is_not_there(broken: Folders) -> None:
    shutil.rmtree(broken.model)
    with pytest.raises(ModelNotFound, match="There is no model folder"):
        load(broken)


def test_weights_without_some_tensors(broken: Folders) -> None:
    smaller = tiny.llama(num_hidden_layers=2)
    smaller.save_pretrained(broken.model.parent / "smaller")
    shutil.copy(broken.model.parent / "smaller" / "model.safetensors", broken.model)
    with pytest.raises(ModelNotFound, match=r"18 tensors are missing, the first is model\.layers\.2"):
        load(broken)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"width": 48}, "48 wide but the language model is 32 wide"),
        ({"hook": "blocks.7.hook_resid_post"}, "after block 7, but the language model has only 4 blocks"),
    ],
)
def test_a_dictionary_of_another_model(broken: Folders, changes: dict[str, object], sentence: str) -> None:
    tiny.save_sae(broken.sae, **changes)  # type: ignore[arg-type]
    with pytest.raises(WrongSae, match=sentence):
        load(broken)


def test_a_dictionary_of_another_place(broken: Folders) -> None:
    tiny.save_sae(broken.sae, hook="blocks.2.hook_mlp_out")
    with pytest.raises(ModelError, match="hook_mlp_out"):
        load(broken)


def test_what_does_not_fit_is_refused_before_it_is_read(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "free", lambda _device: 1000.0)
    with pytest.raises(WontFit, match=r"only 0\.0 GB are free"):
        load(folders)


def test_devices() -> None:
    assert choose_device("cpu").type == "cpu"
    with pytest.raises(Unsupported, match="no device “abacus”"):
        choose_device("abacus")
    if not torch.cuda.is_available():
        with pytest.raises(Unsupported, match="No NVIDIA GPU"):
            choose_device("cuda")


def test_what_is_told_of_a_loaded_model(folders: Folders) -> None:
    stages: list[tuple[str, float]] = []
    engine = Engine()
    told = engine.load(m.Load(1, **folders.fields(), device="cpu"), 20, lambda *stage: stages.append(stage))
    assert (told.layer, told.layers, told.d_model, told.d_sae) == (2, 4, 32, 48)
    assert (told.context, told.features, told.device, told.dtype) == (160, 20, "cpu", "float32")
    assert told.unit > 0
    assert told.memory > 1e7
    assert {"python", "torch", "transformers"} <= told.versions.keys()
    assert [check.name for check in told.checks] == ["zero", "hook", "variance", "cache"]
    assert [f for _, f in stages] == sorted(f for _, f in stages)
    engine.unload()
    with pytest.raises(RequestError, match="No model is loaded"):
        engine.read(m.Read(2, "a", ()))


def request(engine: Engine, **changes: object) -> m.Generate:
    """A good request with something changed."""
    fields = {"prompt": tiny.PROMPT, "panes": two_panes(fader(engine.need().sae, 3)), "sampling": sampling()}
    return m.Generate(5, **fields | changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"prompt": " \n "}, "The opening is empty"),
        ({"panes": ()}, "no panes"),
        ({"watch": (5000,)}, "no quality number 5000"),
        ({"sampling": sampling(top_p=0.0)}, "Top-p must lie above 0"),
        ({"panes": (m.Pane("base", (Fader(FeatureRef("x", 1)),)),)}, "The first pane is the text without the mix"),
        ({"panes": two_panes(Fader(FeatureRef("another", 1), 1.0))}, "belongs to another dictionary"),
        ({"panes": two_panes(Fader(FeatureRef("another", -1), 1.0))}, "no quality number -1"),
    ],
)
def test_a_bad_request_gets_a_sentence(engine: Engine, changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(RequestError, match=sentence):
        engine.write(request(engine, **changes))


def test_a_very_long_opening_is_cut_and_said_so(engine: Engine) -> None:
    events = list(engine.write(request(engine, prompt="The sea was calm. " * 5600)).events())
    assert isinstance(events[0], m.Notice)
    assert "were left out of what it reads; your text is untouched" in events[0].message
    assert isinstance(events[-1], m.Finished)
    assert events[-1].tokens[0] > 0


def test_room_is_kept_for_the_words_asked_for(engine: Engine) -> None:
    writing = engine.write(request(engine, prompt="the sea " * 500, sampling=sampling(words=40)))
    assert tiny.CONTEXT - len(writing.generation.prompt) >= 64


@pytest.mark.parametrize(
    "error",
    [MemoryError(), RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried…")],
)
def test_running_out_of_memory_is_recognised(error: Exception) -> None:
    found = memory.as_out_of_memory(error)
    assert found is not None
    assert "not enough memory" in str(found)
    assert memory.as_out_of_memory(RuntimeError("shapes differ")) is None
