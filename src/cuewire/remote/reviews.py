"""What protects labels on a server, and the reviews of what would move one."""

from __future__ import annotations

import builtins
from typing import Unpack

from cuewire.model.prompts import Home
from cuewire.model.references import check_label
from cuewire.model.reviews import LabelRule, Review, ReviewStatus
from cuewire.outbound.transport import Timeouts
from cuewire.remote.server import Server, path_of
from cuewire.wire.reviews import (
    DecisionRequest,
    DroppedShape,
    LabelRuleList,
    LabelRuleRequest,
    LabelRuleShape,
    ReviewList,
    ReviewShape,
)

CHECKING = Timeouts(first_byte_s=3_600.0, total_s=3_600.0)
"""How long test cases may take, all together: the reply begins when the last one has ended."""


class RemoteReviews:
    """Implements `ReviewsFace` on a server."""

    def __init__(self, server: Server) -> None:
        self._server = server

    async def rules(self, prompt: str | None = None, **home: Unpack[Home]) -> builtins.list[LabelRule]:
        """Return the rules for all prompts, or those that hold for one."""
        return (await self._server.get("/label-rules", LabelRuleList, query={"prompt": prompt, **home})).rules()

    async def protect(self, rule: LabelRule) -> None:
        """Set what protects a label."""
        body, query = LabelRuleRequest.of(rule), {"prompt": rule.prompt_id}
        await self._server.fetch(self._server.request("PUT", "/label-rules", body=body, query=query), LabelRuleShape)

    async def unprotect(self, label: str, prompt_id: int | None = None) -> bool:
        """Take a rule back, and return whether there was one."""
        query = {"label": check_label(label), "prompt": prompt_id}
        request = self._server.request("DELETE", "/label-rules", query=query)
        return (await self._server.fetch_once(request, DroppedShape)).dropped

    async def list(
        self,
        prompt: str | None = None,
        *,
        status: ReviewStatus | None = None,
        limit: int = 100,
        before: int | None = None,
        **home: Unpack[Home],
    ) -> builtins.list[Review]:
        """Return reviews, newest first: of one prompt or of all."""
        query = {"prompt": prompt, "status": status, "limit": limit, "before": before, **home}
        return (await self._server.get("/reviews", ReviewList, query=query)).reviews()

    async def get(self, review_id: int) -> Review:
        """Return a review."""
        return (await self._server.get(path_of("reviews", str(review_id)), ReviewShape)).review()

    async def check(self, review_id: int) -> Review:
        """Run the test cases of a review, and note how they went. Costs money."""
        request = self._server.request("POST", path_of("reviews", str(review_id), "check"), timeouts=CHECKING)
        return (await self._server.fetch_once(request, ReviewShape)).review()

    async def approve(self, review_id: int, *, comment: str = "") -> Review:
        """Agree, and move the label."""
        return await self._decide(review_id, "approve", comment)

    async def reject(self, review_id: int, *, comment: str = "") -> Review:
        """Refuse; who asked for the review withdraws it."""
        return await self._decide(review_id, "reject", comment)

    async def _decide(self, review_id: int, what: str, comment: str) -> Review:
        path = path_of("reviews", str(review_id), what)
        request = self._server.request("POST", path, body=DecisionRequest(comment=comment))
        return (await self._server.fetch_once(request, ReviewShape)).review()
