"""A SQLite file with so many answered questions, each with its vector: filled by bulk inserts once, kept, and copied.

One question is asked by a run, so that all others can be put where the engine itself puts them.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from array import array
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection, insert, select

import cuewire
from bench.kit.environments import cache_folder
from bench.sides import many_questions
from bench.sides.many_questions import Crowd, Numbers
from bench.sides.ours import MODEL
from cuewire.clock import SystemClock
from cuewire.engine import cache_key
from cuewire.model.embeddings import Embeddings, Vector
from cuewire.model.usage import Usage
from cuewire.ports import Provider
from cuewire.providers.scripted import Embedding, Scripted
from cuewire.stores import schema
from cuewire.stores.places import place_of

EXACT, SEMANTIC = "bench/exact", "bench/semantic"
TEMPLATE = "Answer the customer: {{ text }}"
READY = "ready/vectors"
FIRST = "Where is the question that was asked first?"
ONE_PARTITION = {"on": ["text"], "model": READY, "mode": "serve"}


def ready(vectors: Mapping[str, Vector]) -> Mapping[str, Provider]:
    """Give the provider that has the vectors of these texts at hand."""

    def embedding(request: Any) -> Embeddings:
        found = tuple(vectors[text] for text in request.inputs)
        return Embeddings(vectors=found, usage=Usage(input_tokens=9), model=request.model, request_id="")

    known: Embedding = embedding
    return {"ready": Scripted(embedding=known)}


def floats(row: Numbers) -> Vector:
    """Give a row of numbers as the engine has it."""
    return array("f", row.tobytes())


def answer_of(row: int) -> str:
    """Give what the question of a row was answered with."""
    return f"Answer {row}: open the app, choose the card, and follow the steps that you are shown. They take a minute."


def row_of(answer: str) -> int:
    """Give the row of an answer."""
    return int(answer[len("Answer ") : answer.index(":")])


async def filled_file(crowd: Crowd, path: Path) -> str:
    """Give the URL of a SQLite file at the path that holds the questions."""
    kept = _kept(crowd.size)
    if not kept.exists():
        for outdated in cache_folder().glob(f"questions-{crowd.size}-*.db"):
            outdated.unlink()
        await _fill(f"sqlite:///{path}", crowd)
        shutil.copyfile(path, making := kept.with_suffix(f".{os.getpid()}"))
        making.replace(kept)
    else:
        shutil.copyfile(kept, path)
    return f"sqlite:///{path}"


def _kept(size: int) -> Path:
    """Give where the file is kept: named for what it is made of."""
    sources = (__file__, many_questions.__file__, cache_key.__file__)
    made_of = [*(Path(source).read_bytes() for source in sources), schema.REVISION.encode()]
    return cache_folder() / f"questions-{size}-{hashlib.sha256(b''.join(made_of)).hexdigest()[:12]}.db"


async def _fill(url: str, crowd: Crowd) -> None:
    print(f"making {crowd.size} questions ...", file=sys.stderr, flush=True)
    first = -np.ones(384, np.float32) / np.sqrt(np.float32(384))
    async with cuewire.open(url, providers=ready({FIRST: floats(first)})) as app:
        await app.prompts.publish(EXACT, TEMPLATE, model=MODEL, policy={"cache": {}})
        policy = {"cache": {"semantic": ONE_PARTITION}}
        await app.prompts.publish(SEMANTIC, TEMPLATE, model=MODEL, policy=policy)
        await app.run(SEMANTIC, {"text": FIRST})
    database = await place_of(url).open(clock=SystemClock())
    try:
        entry, question = await database.read(_pattern)
        start = 0
        for block in crowd.blocks():
            texts = [crowd.text_of(start + place) for place in range(len(block))]
            await database.write(partial(_store, entry, question, start, texts, block))
            start += len(block)
    finally:
        await database.close()


def _pattern(connection: Connection) -> tuple[dict[str, Any], dict[str, Any]]:
    entry = connection.execute(select(schema.cache_entries)).one()._asdict()
    question = connection.execute(select(schema.cache_questions)).one()._asdict()
    return entry, {name: value for name, value in question.items() if name != "id"}


def _store(
    entry: dict[str, Any],
    question: dict[str, Any],
    start: int,
    texts: list[str],
    block: Numbers,
    connection: Connection,
) -> None:
    keys = [hashlib.sha256(b"%d" % (start + place)).hexdigest() for place in range(len(block))]
    answers = [answer_of(start + place) for place in range(len(block))]
    signs = np.packbits(block > 0, axis=1, bitorder="little")
    entries = [
        {**entry, "key": key, "text": text, "value": f'"{text}"'} for key, text in zip(keys, answers, strict=True)
    ]
    questions = [
        {**question, "key": key, "text": text, "signs": bits.tobytes(), "vector": vector.tobytes()}
        for key, text, bits, vector in zip(keys, texts, signs, block, strict=True)
    ]
    connection.execute(insert(schema.cache_entries).inline(), entries)
    connection.execute(insert(schema.cache_questions).inline(), questions)
