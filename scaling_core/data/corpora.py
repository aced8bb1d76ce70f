"""Real text with no download: source files of the running Python's standard library.

Program text with English docstrings, about 2.6 million characters. It differs a
little between Python versions, so its hash belongs in the record of a run.

Shapes: N tokens of a split, B sequences, T positions.
"""

import sysconfig
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from scaling_core.base.files import sha256_of_text

# Plain files in every CPython from 3.11 on, so far.
_MODULES = """
argparse ast base64 bdb calendar cmd codecs collections/__init__ configparser
contextlib copy csv dataclasses difflib dis doctest enum filecmp fileinput fractions
ftplib functools gettext glob gzip hashlib heapq imaplib inspect ipaddress
json/decoder json/encoder locale logging/__init__ logging/handlers mailbox mimetypes
numbers optparse os pdb pickle pickletools pkgutil platform plistlib poplib
posixpath pprint queue random reprlib runpy sched selectors shelve shlex shutil
smtplib socket socketserver statistics subprocess tarfile tempfile textwrap
threading timeit tokenize trace traceback types typing uuid warnings weakref
webbrowser
"""
MODULES = _MODULES.split()
CHARACTERS = "\n" + "".join(map(chr, range(32, 127)))  # anything else becomes "?"
BLOCK = 4096  # characters; every tenth block is held out
Split = Literal["train", "validation"]


@dataclass(frozen=True)
class Corpus:
    """A text as tokens, newline and printable ASCII, with a tenth held out."""

    text: str

    @property
    def d_vocab(self) -> int:
        """Number of token ids."""
        return len(CHARACTERS)

    @cached_property
    def sha256(self) -> str:
        """Hash of the text: what a record keeps of it."""
        return sha256_of_text(self.text)

    def encode(self, text: str) -> np.ndarray:
        """Return token ids, uint8.

        >>> Corpus("").encode("\\nAé").tolist()
        [0, 34, 32]
        """
        table = np.full(256, CHARACTERS.index("?"), dtype=np.uint8)
        table[list(CHARACTERS.encode())] = np.arange(len(CHARACTERS))
        return table[np.frombuffer(text.encode("ascii", "replace"), dtype=np.uint8)]

    def decode(self, tokens) -> str:
        """Return the text of token ids.

        >>> Corpus("").decode([69, 70, 71])
        'def'
        """
        return "".join(CHARACTERS[i] for i in np.asarray(tokens))

    @cached_property
    def splits(self) -> dict[str, np.ndarray]:
        """Token ids of ``train`` and ``validation``."""
        tokens = self.encode(self.text)
        held_out = (np.arange(len(tokens)) // BLOCK) % 10 == 9
        return {"train": tokens[~held_out], "validation": tokens[held_out]}

    def batches(self, *, batch: int, n_ctx: int, seed: int, split: Split = "train"):
        """Return a `Windows` of this corpus: random windows of n_ctx + 1 tokens."""
        return Windows(self.splits[split], batch, n_ctx + 1, (seed, len(split)))


@dataclass(frozen=True, eq=False)
class Windows:
    """Random windows of a token stream; a batch is a pure function of the step.

    >>> windows = Windows(np.arange(10), batch=2, length=4, seed=(0,))
    >>> windows.batch_at(0).diff().unique().tolist()  # tokens that follow each other
    [1]
    """

    tokens_N: np.ndarray
    batch: int
    length: int
    seed: tuple[int, ...]

    def __post_init__(self):
        if len(self.tokens_N) < self.length:
            raise ValueError(
                f"windows of {self.length} tokens from a text of {len(self.tokens_N)}"
            )

    def batch_at(self, step: int) -> Tensor:
        """Return the token ids of one step, int64 (B, T)."""
        rng = np.random.default_rng((*self.seed, step))
        start = rng.integers(len(self.tokens_N) - self.length + 1, size=self.batch)
        window = start[:, None] + np.arange(self.length)
        return torch.from_numpy(self.tokens_N[window].astype(np.int64))


@cache
def python_source() -> Corpus:
    """Return the standard library's source as a corpus.

    Raises
    ------
    FileNotFoundError
        If this Python comes without the sources of its library.

    >>> corpus = python_source()
    >>> len(corpus.sha256), corpus.d_vocab, corpus.text.isspace()
    (64, 96, False)
    """
    folder = Path(sysconfig.get_path("stdlib"))
    files = [folder / f"{name}.py" for name in MODULES]
    missing = [file.name for file in files if not file.is_file()]
    if missing:
        raise FileNotFoundError(
            f"{folder} lacks {missing}: this Python has no full standard library"
        )
    return Corpus("".join(file.read_text("utf-8") for file in files))
