"""Step 2: learn a byte-level BPE tokenizer and turn the corpus into token files.

Writes ``tokenizer.json`` and its configuration in Hugging Face form, and one ``uint16`` file of token ids per split.

Run: ``python -m models.recipe.tokenizer --work FOLDER``
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from models.recipe.corpus import END_OF_DOCUMENT, SUB_CORPORA

BOS = "<|startoftext|>"
EOS = END_OF_DOCUMENT
VOCABULARY = 8192
CONTEXT = 512
# How often each sub-corpus is seen in one epoch.
REPEATS = {"tinystories": 4, "modern_ccby_mit": 3, "classics": 1}


def documents(path: Path) -> Iterator[str]:
    """Documents of one split file written by step 1."""
    yield from path.read_text(encoding="utf-8").split(f"\n{END_OF_DOCUMENT}\n")


def train_tokenizer(work: Path, vocabulary: int) -> Tokenizer:
    """Train byte-level BPE on every training split, each sub-corpus weighted as in an epoch."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[BOS, EOS],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        min_frequency=2,
    )
    texts = (d for name in SUB_CORPORA for _ in range(REPEATS[name]) for d in documents(work / f"{name}.train.txt"))
    tokenizer.train_from_iterator(texts, trainer)
    bos = tokenizer.token_to_id(BOS)
    tokenizer.post_processor = processors.Sequence(
        [
            processors.ByteLevel(trim_offsets=False),
            processors.TemplateProcessing(single=f"{BOS} $A", special_tokens=[(BOS, bos)]),
        ]
    )
    return tokenizer


def save_tokenizer(tokenizer: Tokenizer, folder: Path) -> PreTrainedTokenizerFast:
    """Save in the form ``AutoTokenizer.from_pretrained`` reads."""
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=BOS,
        eos_token=EOS,
        pad_token=EOS,
        model_max_length=CONTEXT,
        clean_up_tokenization_spaces=False,
    )
    fast.save_pretrained(folder)
    return fast


def encode_split(tokenizer: Tokenizer, path: Path) -> np.ndarray:
    """All documents of a split as one stream ``BOS text EOS BOS text EOS …``; shape (tokens,), uint16."""
    eos = tokenizer.token_to_id(EOS)
    stream: list[np.ndarray] = []
    batch: list[str] = []
    for document in documents(path):
        batch.append(document)
        if len(batch) == 1000:
            stream += [np.array([*e.ids, eos], np.uint16) for e in tokenizer.encode_batch(batch)]
            batch = []
    stream += [np.array([*e.ids, eos], np.uint16) for e in tokenizer.encode_batch(batch)]
    return np.concatenate(stream)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, required=True, help="folder written by step 1; token files go there")
    parser.add_argument("--vocabulary", type=int, default=VOCABULARY)
    args = parser.parse_args()
    tokenizer = train_tokenizer(args.work, args.vocabulary)
    save_tokenizer(tokenizer, args.work / "language_model")
    for name in SUB_CORPORA:
        for part in ("train", "held_out"):
            ids = encode_split(tokenizer, args.work / f"{name}.{part}.txt")
            np.save(args.work / f"{name}.{part}.npy", ids)
            print(f"{name}.{part}: {len(ids):,} tokens", flush=True)


if __name__ == "__main__":
    main()
