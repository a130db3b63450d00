"""What the demo compares: two versions of one prompt, and labelled sentences to try them on.

The sentences were written for this demo, half of each kind, and none stands in the prompt. The three examples of the
second version were chosen on other sentences: this model leans to the label that it saw last, and two positive ones
before a negative one balance that.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Any, Literal

import msgspec

from cuewire.model.prompts import Message
from cuewire.model.values import Value

NAME = "demo/sentiment"
MODEL = "local/smollm2-135m"
CHOICES = ("positive", "negative")
PARAMETERS: dict[str, Any] = {"temperature": 0, "max_tokens": 4, "seed": 1}

_SYSTEM = Message(
    "system", "You classify the sentiment of a sentence. Answer with exactly one word: positive or negative."
)
_QUESTION = Message("user", "Sentence: {{ text }}\nSentiment:")
_EXAMPLES = (
    ("Great value, and it arrived early.", "positive"),
    ("A wonderful gift; she smiled all day.", "positive"),
    ("The food was cold and the waiter was rude.", "negative"),
)


class Draft(Value, frozen=True):
    """A version to publish, and what it tries."""

    idea: str
    messages: tuple[Message, ...]


class Sentence(Value, frozen=True):
    """A sentence and the sentiment that a reader finds in it."""

    text: str
    label: Literal["positive", "negative"]


DRAFTS = (
    Draft(idea="zero-shot", messages=(_SYSTEM, _QUESTION)),
    Draft(
        idea="few-shot",
        messages=(
            _SYSTEM,
            *(
                message
                for text, label in _EXAMPLES
                for message in (Message("user", f"Sentence: {text}\nSentiment:"), Message("assistant", label))
            ),
            _QUESTION,
        ),
    ),
)


def sentences() -> tuple[Sentence, ...]:
    """Return the labelled sentences."""
    data = files(__package__).joinpath("demo_sentences.json").read_bytes()
    return msgspec.json.decode(data, type=tuple[Sentence, ...])
