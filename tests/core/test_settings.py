"""Settings survive their file; a damaged file is set aside with a sentence."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from undersong.core.errors import ProjectError
from undersong.core.settings import Settings, load_settings, save_settings


def test_settings_survive_their_file(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "settings.toml"
    assert load_settings(path) == (Settings(), "")
    chosen = Settings(theme="dark", prose_size=22, threads=3, motion=False)
    save_settings(path, chosen)
    assert load_settings(path) == (chosen, "")
    assert 'theme = "dark"' in path.read_text()


def test_a_file_written_by_hand_may_leave_things_out(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text('# mine\ntheme = "light"\nunheard_of = 3\n')
    assert load_settings(path) == (Settings(theme="light"), "")


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"theme = ", "Invalid value"),
        (b'theme = "pink"', r"Settings\.theme should be one of system, light, dark"),
        (b"prose_size = 400", "prose_size must lie between"),
        (b"threads = -1", "threads must be"),
        (b"motion = 1", "true or false"),
        (b"\xff\xfe\x00", "decode"),
    ],
)
def test_a_damaged_file_is_set_aside(tmp_path: Path, content: bytes, word: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(content)
    settings, notice = load_settings(path)
    assert settings == Settings()
    assert re.search(word, notice)
    (aside,) = tmp_path.iterdir()
    assert aside.read_bytes() == content
    assert aside.name in notice


def test_a_folder_that_cannot_be_made_gets_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ProjectError, match="No settings can be saved in"):
        save_settings(tmp_path / "file" / "settings.toml", Settings())
    with pytest.raises(ProjectError, match="may not be read"):
        load_settings(tmp_path / "file" / "settings.toml")
