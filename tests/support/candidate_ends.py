"""Ends of candidates, and judges that say what a test wants."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cuewire.engine.select import Judged, select
from cuewire.model.candidates import CandidateEnd, Selection
from cuewire.model.outputs import JsonOutput
from cuewire.model.policies import SelectionMethod
from cuewire.model.prompts import Inputs
from cuewire.model.requests import ChatMessage

TASK = (ChatMessage(role="user", content="Name a colour."),)


def ended(index: int, text: str = "", **fields: Any) -> CandidateEnd:
    """Return the end of a valid candidate that says a text, unless the fields say otherwise."""
    told: dict[str, Any] = {
        **{"group": 0, "priority": 0, "status": "valid", "place": index, "reason": ""},
        **{"model": f"scripted/m{index}", "value": text},
    }
    return CandidateEnd(index=index, text=text, **told | fields)


async def selected(
    method: SelectionMethod, ends: Sequence[CandidateEnd], *, seed: int = 7, judge: ScriptedJudges | None = None
) -> Selection:
    """Select with a task and a seed."""
    return await select(method, ends, task=TASK, seed=seed, judge=judge)


def ranking(labels: Sequence[str], *, score: float = 5) -> dict[str, Any]:
    """Return what a judge says that ranks the labels in this order."""
    entries = [
        {"label": label, "reason": f"{label} is number {rank}", "score": score, "rank": rank}
        for rank, label in enumerate(labels, start=1)
    ]
    return {"ranking": entries}


def preferring(wanted: Sequence[str]) -> Callable[[Inputs], dict[str, Any]]:
    """Return a judge who ranks texts as the sequence has them."""

    def judge(inputs: Inputs) -> dict[str, Any]:
        texts = texts_by_label(inputs)
        return ranking(sorted(texts, key=lambda label: wanted.index(texts[label])))

    return judge


def texts_by_label(inputs: Inputs) -> dict[str, str]:
    """Return the texts that a judge is shown."""
    candidates: Any = inputs["candidates"]
    return {candidate["label"]: candidate["text"] for candidate in candidates}


class ScriptedJudges:
    """Asks judges by name: each says what its function makes of the inputs, ends so, or raises. Notes all of it."""

    def __init__(self, judges: Mapping[str, Callable[[Inputs], Any]]) -> None:
        self.asked: list[tuple[str, Inputs, JsonOutput]] = []
        self._judges = judges

    async def __call__(self, prompt: str, inputs: Inputs, output: JsonOutput) -> Judged:
        self.asked.append((prompt, inputs, output))
        said = self._judges[prompt](inputs)
        if isinstance(said, Judged):
            return said
        if isinstance(said, BaseException):
            raise said
        return Judged(value=said, execution_id=f"x{len(self.asked)}", cost_usd=0.25)
