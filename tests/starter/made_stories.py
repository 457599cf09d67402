"""A small corpus made from templates, in the form the recipe's first step reads."""

from __future__ import annotations

import lzma
import random
from pathlib import Path

HEROES = ["fox", "bear", "girl", "boy", "king", "sailor", "mouse", "witch", "farmer", "princess"]
PLACES = ["forest", "castle", "garden", "ship", "village", "mountain", "cave", "river", "market", "tower"]
THINGS = ["ball", "crown", "lamp", "boat", "apple", "sword", "book", "flower", "drum", "key"]
FEELINGS = ["happy", "sad", "angry", "afraid", "proud", "tired", "lonely", "brave"]
PLAIN = (
    "One day, a {feeling} {hero} went to the {place}. The {hero} found a {thing}.",
    '"Can I have the {thing}?" said the {hero}. The {other} was {feeling} and said no.',
    "They played in the {place} all day. Then they went home and were {feeling}.",
    "The {hero} and the {other} put the {thing} in the {place}. It was a good day.",
)
FABLE = (
    "In the {place} there lived a {hero} who wanted nothing but the {thing} of the {other}.",
    "The {hero} learned that a {feeling} heart is worth more than any {thing}.",
    "Every morning the {other} walked past the {place}, {feeling} as ever, and greeted the {hero}.",
)
OLD = (
    "There was once upon a time a {hero}, who dwelt hard by the {place} and was exceeding {feeling}.",
    "Now when the {other} beheld the {thing}, he cried aloud, and would not be comforted.",
    "So the {hero} took up the {thing} and journeyed seven days, till at last he came unto the {place}.",
    "Thereupon the {other}, being {feeling}, bade the {hero} enter, and set before him a {thing} of gold.",
)
REGISTERS = {"tinystories": PLAIN, "modern_ccby_mit": FABLE, "classics": OLD}


def story(sentences: tuple[str, ...], rng: random.Random) -> str:
    """Four to seven sentences about the same two heroes."""
    hero, other = rng.sample(HEROES, 2)
    return " ".join(
        rng.choice(sentences).format(
            hero=hero,
            other=other,
            place=rng.choice(PLACES),
            thing=rng.choice(THINGS),
            feeling=rng.choice(FEELINGS),
        )
        for _ in range(rng.randint(4, 7))
    )


def write_corpus(folder: Path, size: int) -> None:
    """Write the three ``.txt.xz`` files, together about ``size`` bytes of text."""
    rng = random.Random(4)
    for name, sentences in REGISTERS.items():
        stories: list[str] = []
        while sum(map(len, stories)) < size // len(REGISTERS):
            stories.append(story(sentences, rng))
        (folder / f"{name}.txt.xz").write_bytes(lzma.compress("\n<|endoftext|>\n".join(stories).encode()))
