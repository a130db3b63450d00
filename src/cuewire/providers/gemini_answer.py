"""From Gemini's answers and events to an Answer. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from cuewire.model.errors import ProtocolError
from cuewire.model.requests import ToolCall
from cuewire.model.results import Answer
from cuewire.model.usage import Usage
from cuewire.providers.counts import count_in
from cuewire.providers.gemini_wire import WireAnswer, WireCall, WireFeedback, WirePart, arguments_of, decode_answer
from cuewire.providers.growing import GrowingText
from cuewire.providers.upstream import ErrorInside

_REASONS = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    **dict.fromkeys(
        ("SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR"), "content_filter"
    ),
}
"""Finish reasons in the words of OpenAI; others keep their own, in small letters."""
_COUNTS = ("toolUsePrompt", "candidates", "thoughts", "cachedContent", "total")
_EXPLAINS_SILENCE = frozenset({"length", "content_filter"})


def read_whole(body: bytes, *, request_id: str) -> Answer:
    """Read a plain answer, as ReadWhole does."""
    growing = GrowingAnswer()
    growing.add([body])
    if growing.error:
        raise ErrorInside(growing.error)
    if not growing.is_finished:
        raise ProtocolError("the answer holds no candidate that is finished")
    return growing.finish(request_id=request_id)


def read_usage(usage: object) -> Usage:
    """Return the token counts of an answer: thoughts are output, what tools put into the prompt is input.

    Zeros are left out on the wire. The total is the sum of all by definition: where it exceeds the parts, as with
    models that did not count their thoughts apart, the rest was thought.
    """
    if (prompt := count_in(usage, "promptTokenCount")) is None:
        return Usage()
    tools, candidates, thoughts, cached, total = (count_in(usage, f"{name}TokenCount") or 0 for name in _COUNTS)
    output = max(candidates + thoughts, total - prompt - tools)
    return Usage(
        input_tokens=prompt + tools,
        output_tokens=output,
        cached_tokens=cached,
        reasoning_tokens=output - candidates,
    )


class GrowingAnswer(GrowingText):
    """The answer of a call, put together event by event; a plain answer is one event."""

    __slots__ = (
        "_calls",
        "_finish_message",
        "_finish_reason",
        "_id",
        "_model",
        "_usage",
    )

    def __init__(self) -> None:
        super().__init__()
        self._calls: list[WireCall] = []
        self._finish_reason = ""
        self._finish_message = ""
        self._usage = Usage()
        self._id = ""
        self._model = ""

    @property
    def is_empty(self) -> bool:
        """Whether no event has arrived that says anything of an answer."""
        return not (self._texts or self._calls or self._id or self._finish_reason)

    @property
    def is_finished(self) -> bool:
        """Whether the model has said that it is finished."""
        return bool(self._finish_reason)

    @property
    def is_over(self) -> bool:
        """Whether the last event has come: here only the end of the stream tells."""
        return False

    def add(self, data: Sequence[bytes]) -> None:
        """Take the data of the events of one read; an error that one of them reports is kept in `error`.

        Raises ValueError at the first event that cannot be read; those before it count.
        """
        for each in data:
            event = decode_answer(each)
            if event.error is not None:
                self.error = event.error
            elif event.prompt_feedback and event.prompt_feedback.block_reason:
                self.error = _blocked(event.prompt_feedback)
            else:
                self._grow(event)

    def finish(self, *, request_id: str) -> Answer:
        """Return the complete answer. Raises ProtocolError if nothing at all was said."""
        reason = _REASONS.get(self._finish_reason, self._finish_reason.lower())
        if not self._texts and not self._calls and reason not in _EXPLAINS_SILENCE:
            said = f": {self._finish_message}" if self._finish_message else ""
            raise ProtocolError(f"the answer holds neither content nor tool calls ({self._finish_reason}{said})")
        return Answer(
            text=self.text,
            finish_reason="tool_calls" if self._calls and reason == "stop" else reason,
            usage=self._usage,
            tool_calls=tuple(
                ToolCall(id=call.id or f"call_{index}", name=call.name, arguments=arguments_of(call))
                for index, call in enumerate(self._calls)
            ),
            model=self._model,
            request_id=request_id or self._id,
            first_token_ms=self.first_token_ms,
        )

    def _grow(self, event: WireAnswer) -> None:
        usage = read_usage(event.usage_metadata)
        if usage.input_tokens is not None:  # each event counts all that was used so far
            self._usage = usage
        if not self._id:
            self._id = event.response_id or ""
            self._model = (event.model_version or "").removeprefix("models/")
        if not event.candidates:
            return
        candidate = event.candidates[0]
        for part in (candidate.content and candidate.content.parts) or ():
            self._take_part(part)
        if candidate.finish_reason:
            self._finish_reason = candidate.finish_reason
            self._finish_message = candidate.finish_message or ""

    def _take_part(self, part: WirePart) -> None:
        if part.function_call is not None:
            self._calls.append(part.function_call)
        elif part.text is not None and not part.thought:
            self._texts.append(part.text)


def _blocked(feedback: WireFeedback) -> dict[str, str]:
    """Return the error that a blocked prompt is, in the form that errors have."""
    reason = feedback.block_reason or ""
    return {"code": "content_filter", "status": reason, "message": feedback.block_reason_message or "blocked"}
