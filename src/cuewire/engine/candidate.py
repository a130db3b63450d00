"""One candidate: asked, asked again or elsewhere where that may help, checked, and told what was wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias

import msgspec

from cuewire.engine.breaker import Breaker, Breakers
from cuewire.engine.budgets import CallBudget, RetryBudgets
from cuewire.engine.call import Caller, CallPlace
from cuewire.engine.check import asked_again, parse_answer
from cuewire.engine.failover import goes_over, remaining
from cuewire.engine.gate import Gate
from cuewire.engine.price import total_cost, total_usage
from cuewire.engine.probes import Probes
from cuewire.engine.record import OpenRecord
from cuewire.engine.retry import asks_too_long, is_repeatable, is_told_when, share_of, wait_ms
from cuewire.engine.storable import storable
from cuewire.model.candidates import CandidateEnd, CandidateStatus
from cuewire.model.errors import CuewireError, OutputError, ProviderError, ProviderTimeout, RequestRejected
from cuewire.model.executions import CallRecord, Cause
from cuewire.model.outputs import OutputKind
from cuewire.model.plans import Candidate
from cuewire.model.policies import Policy
from cuewire.model.requests import ChatMessage, ModelRef, ModelRequest
from cuewire.model.results import Answer, Cost
from cuewire.ports import Clock, Listener

Again: TypeAlias = Callable[[Sequence[CandidateEnd]], Awaitable[tuple[ChatMessage, ...]]]
"""Renders what is asked once more, given how the candidates of earlier groups ended. Raises TemplateError."""


class Means(msgspec.Struct, frozen=True, kw_only=True):
    """What the candidates of all executions share. `windows` are tokens that fit, by `provider/model`."""

    caller: Caller
    breakers: Breakers
    probes: Probes
    gate: Gate
    retries: RetryBudgets
    clock: Clock
    windows: dict[str, int] = {}


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What the candidates of one execution share; `again` is there if what is asked depends on earlier ones.

    `ends_at` is when the execution must have ended, by the clock's monotonic time.
    """

    policy: Policy
    output: OutputKind
    messages: tuple[ChatMessage, ...]
    record: OpenRecord
    calls: CallBudget
    again: Again | None = None
    listener: Listener | None = None
    ends_at: float | None = None


class CandidateTrip:
    """What becomes of one candidate; implements `Trip`.

    `value` is what its answer says, `error` why there is none; `answer` is what came, in a form that can be stored.
    """

    __slots__ = (
        *("value", "error", "answer", "model", "_charged", "_sanitised"),
        *("_candidate", "_task", "_means", "_calls", "_began", "_is_heard"),
    )

    def __init__(self, candidate: Candidate, task: Task, means: Means) -> None:
        self.value: Any = None
        self.error: CuewireError | None = None
        self.answer: Answer | None = None
        self.model = candidate.model
        self._charged: Cost | None = None
        self._sanitised = 0
        self._candidate = candidate
        self._task = task
        self._means = means
        self._calls: list[CallRecord] = []
        self._began: float | None = None
        self._is_heard = False

    async def run(self, prior: Sequence[CandidateEnd]) -> CandidateStatus:
        """Ask for the answer, and check it."""
        task = self._task
        self._began = self._means.clock.monotonic()
        try:
            messages = await task.again(prior) if prior and task.again else task.messages
            self.answer = await self._ask(messages, "first")
            return "valid" if self._is_valid(self.answer) else await self._repaired(self.answer, messages)
        except CuewireError as error:
            self.error = error
            return "timed_out" if isinstance(error, ProviderTimeout) else "failed"

    def end(self, status: CandidateStatus, *, place: int, reason: str = "") -> CandidateEnd:
        """Return how it ended."""
        candidate, answer, error, began = self._candidate, self.answer, self.error, self._began
        return CandidateEnd(
            index=candidate.index,
            group=candidate.group,
            priority=candidate.priority,
            model=str(self.model),
            status=status,
            reason=reason or candidate.reason,
            place=place,
            parameters=candidate.parameters,
            text=answer.text if answer else None,
            value=self.value,
            finish_reason=answer.finish_reason if answer else None,
            error_code=error.code if error else None,
            error_message=error.message if error else None,
            duration_ms=None if began is None else (self._means.clock.monotonic() - began) * 1_000,
            usage=total_usage(self._calls),
            cost_usd=total_cost(self._calls).usd,
            calls=len(self._calls),
        )

    def tell(self, record: OpenRecord) -> None:
        """Tell the record of the answer, which is that of the execution."""
        record.planned(str(self.model))
        if self.answer is not None and self._charged is not None:
            record.answered(self.answer, self._charged, sanitised=self._sanitised)

    def _is_valid(self, answer: Answer) -> bool:
        """Read the value out of an answer, or note why there is none."""
        try:
            self.value = parse_answer(answer, self._task.output)
        except OutputError as error:
            self.error = error
            return False
        self.error = None
        return True

    async def _repaired(self, answer: Answer, messages: tuple[ChatMessage, ...]) -> CandidateStatus:
        """Tell the model that the form of its answer is wrong, as often as the policy says."""
        for _ in range(self._task.policy.max_repairs):
            if not isinstance(self.error, OutputError) or self._is_heard or not self._has_time(0):
                break  # nothing takes back what was heard
            fault = asked_again(self.error, self._task.output)
            said = ChatMessage(role="assistant", content=answer.text)
            messages, answered_by = (*messages, said, ChatMessage(role="user", content=fault)), self.model
            try:
                self.answer = answer = await self._ask(messages, "repair")
            except ProviderError:  # the answer that there is stays what it is, and whose it is
                self.model = answered_by
                break
            if self._is_valid(answer):
                return "valid"
        return "invalid"

    def _ask(self, messages: tuple[ChatMessage, ...], cause: Cause) -> Awaitable[Answer]:
        """Return an answer, of another endpoint where this one has failed for good and the policy says so."""
        if not self._candidate.fallbacks:
            return self._ask_at(self._candidate.model, messages, cause, 0.0)
        return self._ask_in_turn(messages, cause)

    async def _ask_in_turn(self, messages: tuple[ChatMessage, ...], cause: Cause) -> Answer:
        policy = self._task.policy.failover
        endpoints = (self._candidate.model, *self._candidate.fallbacks)
        delay_ms = 0.0
        while True:
            model, endpoints = endpoints[0], endpoints[1:]
            try:
                return await self._ask_at(model, messages, cause, delay_ms)
            except ProviderError as error:
                if self._is_heard or not goes_over(policy, error):
                    raise
                endpoints = remaining(endpoints, failed=model, error=error, windows=self._means.windows)
                if not endpoints or not self._task.calls.left or not self._has_time(policy.delay_ms):
                    raise
                cause, delay_ms = "failover", policy.delay_ms

    async def _ask_at(
        self, model: ModelRef, messages: tuple[ChatMessage, ...], cause: Cause, delay_ms: float
    ) -> Answer:
        """Return an answer of this endpoint, asked as often as the policy and the budgets allow."""
        policy, means = self._task.policy.retry, self._means
        breaker = means.breakers.of(model)
        means.retries.requested(model.provider)
        self.model = model
        n = 0
        while True:
            if delay_ms:
                await asyncio.sleep(delay_ms / 1_000)
            if not breaker.may_call():
                raise breaker.refusal()
            if not self._task.calls.left:
                raise _no_calls_left()
            try:
                if breaker.status() != "half_open":
                    return await self._ask_once(model, breaker, messages, cause=cause, delay_ms=delay_ms)
                async with means.probes.of(breaker):
                    return await self._ask_once(model, breaker, messages, cause=cause, delay_ms=delay_ms)
            except ProviderError as error:
                n += 1
                if n > policy.max_retries or not is_repeatable(error, n, is_heard=self._is_heard):
                    raise
                if not self._task.calls.left:
                    raise  # what went wrong says more than that there is no call left
                share = share_of(means.clock.random_bits())
                cause, delay_ms = "retry", wait_ms(policy, n, share=share, retry_after_s=error.retry_after_s)
                if asks_too_long(policy, error.retry_after_s) or not self._has_time(delay_ms):
                    raise
                if not is_told_when(error) and not means.retries.take(model.provider):
                    raise

    async def _ask_once(
        self, model: ModelRef, breaker: Breaker, messages: tuple[ChatMessage, ...], *, cause: Cause, delay_ms: float
    ) -> Answer:
        gate, parameters = self._means.gate, self._candidate.parameters
        async with gate.passage(model, messages, parameters, patience=self._patience_s) as passage:
            with breaker.call():
                if not self._task.calls.take():
                    raise _no_calls_left()  # another candidate took it meanwhile
                delay_ms += passage.leave()
                answer, self._charged = await self._call(model, messages, cause, delay_ms)
                answer, self._sanitised = storable(answer)
                return passage.answered(answer)

    def _call(
        self, model: ModelRef, messages: tuple[ChatMessage, ...], cause: Cause, delay_ms: float
    ) -> Awaitable[tuple[Answer, Cost]]:
        task, candidate = self._task, self._candidate
        number = task.record.next_call()
        request = ModelRequest(
            model=model.model,
            messages=messages,
            parameters=candidate.parameters,
            output=task.output,
            idempotency_key=f"{task.record.opening.id}-{number}",
        )
        place = CallPlace(
            opened=task.record.began,
            number=number,
            candidate=candidate.index,
            cause=cause,
            delay_ms=delay_ms,
            timeout_s=self._left_s,
        )
        task.record.calling(model, place)
        listener = self._hear if task.listener else None
        return self._means.caller.call(model, request, place=place, note=self._note, listener=listener)

    @property
    def _left_s(self) -> float | None:
        timeout_s, began = self._task.policy.candidate_timeout_s, self._began
        if timeout_s is None or began is None:
            return None
        return max(0.0, began + timeout_s - self._means.clock.monotonic())

    def _patience_s(self) -> float | None:
        """Return how long a call may be held up: no longer than the candidate and the execution have."""
        left_s, ends_at = self._left_s, self._task.ends_at
        if ends_at is None:
            return left_s
        execution_s = max(0.0, ends_at - self._means.clock.monotonic())
        return execution_s if left_s is None else min(left_s, execution_s)

    def _has_time(self, delay_ms: float) -> bool:
        """Tell whether time is left after a wait."""
        left_s = self._left_s
        return left_s is None or delay_ms < left_s * 1_000

    def _note(self, call: CallRecord) -> None:
        self._calls.append(call)
        self._task.record.called(call)

    async def _hear(self, text: str) -> None:
        self._is_heard = True
        self._task.record.heard(text)
        if self._task.listener:
            await self._task.listener(text)


def _no_calls_left() -> RequestRejected:
    return RequestRejected(
        "the execution has made as many calls as its plan allows", hint="raise max_calls in the version's policy"
    )
