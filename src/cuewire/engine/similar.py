"""Answers to questions that mean the same: looked for, noted beside the answer that was got, or given again."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from cuewire.engine.asking import Prepared, Run
from cuewire.engine.cache_key import partition_key, subject_key
from cuewire.engine.call import Caller, CallPlace
from cuewire.engine.gate import Gate
from cuewire.engine.judging import Judging
from cuewire.engine.nearby import Nearby
from cuewire.engine.record import OpenRecord
from cuewire.engine.sizes import NO_ANSWER
from cuewire.engine.telling import tell
from cuewire.engine.wording import contradiction, difference
from cuewire.model.cache import CacheMatch, Neighbour, Question, Verdict
from cuewire.model.embeddings import EmbeddingRequest, Vector, unit
from cuewire.model.errors import CuewireError, ModelNotFound, ProviderError, StoreError
from cuewire.model.executions import Opening
from cuewire.model.outputs import JsonOutput, TextOutput
from cuewire.model.policies import Cache, Semantic
from cuewire.model.prompts import Inputs, PromptVersion
from cuewire.model.requests import parse_model
from cuewire.model.results import Result
from cuewire.ports import Clock, MatchStore

MAX_TOKENS = 128
"""Tokens of a question that is compared: what an encoder cuts off makes all longer ones alike."""
PATIENCE_S = 1.0
"""How long a question waits at the limits of its embedding model before it is answered without a look."""
DECIDED_BY_VALUE = "value"
"""Who has decided on a match whose two values say all: a choice, a number, yes or no."""
_PIECE = re.compile(r"\w+|[^\w\s]")


class Look(NamedTuple):
    """What a run found: its question, and an earlier one whose answer will do.

    That is `given` where one trusts it, and `noted` beside the answer of the run where one does not.
    """

    question: Question
    given: Neighbour | None = None
    noted: Neighbour | None = None


class Similar:
    """Looks for answers to similar questions, for versions whose policy wants that."""

    def __init__(
        self, nearby: Nearby, matches: MatchStore, *, caller: Caller, gate: Gate, judging: Judging, clock: Clock
    ) -> None:
        self._nearby = nearby
        self._matches = matches
        self._caller = caller
        self._gate = gate
        self._judging = judging
        self._clock = clock

    async def look(self, run: Run, prepared: Prepared) -> Look | None:
        """Return what there is, None if the question cannot be compared. Costs money: an embedding, and a verifier.

        An embedding that fails leaves the run as it would have been without. Raises ModelNotFound, MissingExtra if
        there is no such embedding model, StoreError.
        """
        cache = run.version.policy.cache
        semantic = cache.semantic if cache else None
        if cache is None or semantic is None or run.record.opening.purpose == "judge":  # whom another judge would judge
            return None
        if (text := question_text(semantic, prepared.inputs)) is None:
            return None
        if (vector := await self._vector(text, semantic, run.record)) is None:
            return None
        question = Question(
            partition=partition_key(
                run.version,
                prepared.plan,
                prepared.inputs,
                configuration=run.order.configuration,
                metadata=run.order.metadata,
                dimensions=len(vector),
            ),
            subject=subject_key(run.version, semantic),
            text=text,
            vector=unit(vector),
        )
        neighbour = await self._neighbour(question, cache, semantic, run.record)
        if neighbour is None:
            return Look(question)
        if semantic.mode == "serve" and (await self._matches.trust(question.subject)).suffices:
            return Look(question, given=neighbour)
        return Look(question, noted=neighbour)

    async def answered(self, look: Look, version: PromptVersion, result: Result) -> None:
        """Note how near an earlier question was to one that is answered, and kept with its answer."""
        self._nearby.added(look.question)
        if look.noted is None:
            return
        try:
            await self._matches.add(self._match(look.question, look.noted, version, result))
        except StoreError as error:  # the run has its answer, and its record is there
            tell(logging.WARNING, "cache.match_not_kept", execution=result.id, reason=error.code)

    async def _vector(self, text: str, semantic: Semantic, record: OpenRecord) -> Vector | None:
        model = parse_model(semantic.model)
        number = record.next_call()
        request = EmbeddingRequest(
            model=model.model, inputs=(text,), parameters={}, idempotency_key=f"{record.opening.id}-{number}"
        )
        try:
            async with self._gate.passage(model, (text,), NO_ANSWER, patience=lambda: PATIENCE_S) as passage:
                delay_ms = passage.leave()
                place = CallPlace(opened=record.began, number=number, cause="embedding", delay_ms=delay_ms)
                embeddings, _ = await self._caller.embed(model, request, place=place, note=record.called)
                passage.answered(embeddings)
        except ModelNotFound as error:
            error.field = "/policy/cache/semantic/model"
            raise
        except ProviderError as error:
            tell(logging.WARNING, "cache.not_compared", execution=record.opening.id, reason=error.code)
            return None
        is_too_long = (embeddings.usage.input_tokens or 0) > MAX_TOKENS + 2  # some count the marks around it
        return None if is_too_long else embeddings.vectors[0]

    async def _neighbour(
        self, question: Question, cache: Cache, semantic: Semantic, record: OpenRecord
    ) -> Neighbour | None:
        """Return the nearest earlier question that may be taken for this one.

        Whose answer is stale is none: nobody would renew it.
        """
        now = self._clock.now()
        for neighbour in await self._nearby.find(question, threshold=semantic.threshold):
            if neighbour.entry.is_stale(cache.ttl_s, now):
                continue
            if semantic.verifier is None:
                if not difference(question.text, neighbour.text):
                    return neighbour
            elif not contradiction(question.text, neighbour.text):
                said = {"question": question.text, "earlier": neighbour.text, "answer": neighbour.entry.text}
                agrees = await self._agrees(semantic.verifier, said, record.opening)
                return neighbour if agrees else None
        return None

    async def _agrees(self, verifier: str, said: Mapping[str, Any], asked_for: Opening) -> bool:
        try:
            return await self._judging.agrees(verifier, said, parent=asked_for)
        except StoreError:
            raise
        except CuewireError as error:
            tell(logging.WARNING, "cache.not_verified", execution=asked_for.id, reason=error.code)
            return False

    def _match(self, question: Question, neighbour: Neighbour, version: PromptVersion, result: Result) -> CacheMatch:
        verdict, now = _verdict(version, neighbour, result), self._clock.now()
        return CacheMatch(
            execution_id=result.id,
            version_id=version.id,
            prompt=version.prompt,
            version=version.number,
            subject=question.subject,
            source_id=neighbour.entry.source_id,
            similarity=neighbour.similarity,
            text=question.text,
            matched_text=neighbour.text,
            created_at=now,
            verdict=verdict,
            decided_by=DECIDED_BY_VALUE if verdict else None,
            decided_at=now if verdict else None,
        )


def question_text(semantic: Semantic, inputs: Inputs) -> str | None:
    """Return what is compared of the inputs; None if it is no text, nothing, or too long.

    Of several each has a line, and no more than one, so that what is said in one is never taken for another's.
    """
    texts = [inputs.get(name) for name in semantic.on]
    if not all(isinstance(text, str) and text.strip() for text in texts):
        return None
    named = zip(semantic.on, map(str, texts), strict=True)
    lines = (f"{name}: {' '.join(text.split())}" for name, text in named)
    whole = str(texts[0]) if len(texts) == 1 else "\n".join(lines)
    return whole if len(_PIECE.findall(whole)) <= MAX_TOKENS else None


def _verdict(version: PromptVersion, neighbour: Neighbour, result: Result) -> Verdict | None:
    """Tell whether the earlier answer would have done, where that can be told from the values alone.

    Of texts and objects nothing can, not even of equal ones: to count those alone would make all others look as right.
    """
    if isinstance(version.output, TextOutput | JsonOutput) or not result.valid:
        return None
    return "right" if result.value == neighbour.entry.value else "wrong"
