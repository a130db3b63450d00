"""What protects labels, over HTTP, and the reviews of what would move one."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from cuewire.engine.app import LocalApp
from cuewire.model.errors import ReviewNotFound
from cuewire.registry.reviews import Reviews
from cuewire.server.documented import documented
from cuewire.server.replies import as_json, exchange_of, plain
from cuewire.wire.queries import HomeQuery, ReviewQuery, RuleDropQuery, RuleQuery
from cuewire.wire.reviews import (
    ApproveRequest,
    DecisionRequest,
    DroppedShape,
    LabelRuleList,
    LabelRuleRequest,
    LabelRuleShape,
    ReviewList,
    ReviewShape,
)
from cuewire.wire.strict_json import decode


class ReviewRoutes:
    """What is answered of label rules and reviews."""

    def __init__(self, app: LocalApp) -> None:
        self._app = app
        self.router = router = APIRouter(prefix="/api/v1", tags=["reviews"])
        router.add_api_route(
            "/label-rules",
            self.rules,
            methods=["GET"],
            **documented("prompts:read", "List what protects labels", reply=LabelRuleList),
        )
        router.add_api_route(
            "/label-rules",
            self.protect,
            methods=["PUT"],
            **documented("rules:write", "Protect a label", body=LabelRuleRequest, reply=LabelRuleShape),
        )
        router.add_api_route(
            "/label-rules",
            self.unprotect,
            methods=["DELETE"],
            **documented("rules:write", "Protect a label no longer", reply=DroppedShape),
        )
        router.add_api_route(
            "/prompts/{prompt}/approve",
            self.approve_waiting,
            methods=["POST"],
            **documented(
                "reviews:decide", "Approve the review of a prompt that waits", body=ApproveRequest, reply=ReviewShape
            ),
        )
        router.add_api_route(
            "/reviews",
            self.list,
            methods=["GET"],
            **documented("prompts:read", "List reviews, newest first", reply=ReviewList),
        )
        router.add_api_route(
            "/reviews/{review_id}",
            self.get,
            methods=["GET"],
            **documented("prompts:read", "Look up a review", reply=ReviewShape),
        )
        router.add_api_route(
            "/reviews/{review_id}/approve",
            self.approve,
            methods=["POST"],
            **documented("reviews:decide", "Agree, and move the label", body=DecisionRequest, reply=ReviewShape),
        )
        router.add_api_route(
            "/reviews/{review_id}/reject",
            self.reject,
            methods=["POST"],
            **documented("reviews:decide", "Refuse, or withdraw", body=DecisionRequest, reply=ReviewShape),
        )
        router.add_api_route(
            "/reviews/{review_id}/check",
            self.check,
            methods=["POST"],
            **documented("reviews:decide", "Run the test cases of a review", reply=ReviewShape),
        )

    async def rules(self, request: Request, query: Annotated[RuleQuery, Query()]) -> Response:
        """Return the rules for all prompts, or those that hold for one."""
        return as_json(LabelRuleList.of(await self._reviews(request).rules(query.prompt, **query.home())))

    async def protect(self, request: Request, query: Annotated[RuleQuery, Query()]) -> Response:
        """Set what protects a label, of the prompt of the query or, without one, of all."""
        asked = decode(await exchange_of(request).body(), LabelRuleRequest)
        rule = asked.rule(await self._prompt_id(request, query))
        await self._reviews(request).protect(rule)
        return as_json(LabelRuleShape.of(rule))

    async def unprotect(self, request: Request, query: Annotated[RuleDropQuery, Query()]) -> Response:
        """Take back the rule for a label, of the prompt of the query or, without one, of all."""
        dropped = await self._reviews(request).unprotect(query.label, await self._prompt_id(request, query))
        return as_json(DroppedShape(dropped=dropped))

    async def list(self, request: Request, query: Annotated[ReviewQuery, Query()]) -> Response:
        """List reviews, newest first: of one prompt or of all."""
        found = await self._reviews(request).list(
            query.prompt, status=query.status, limit=query.limit, before=query.before, **query.home()
        )
        return as_json(ReviewList.of(found))

    async def get(self, request: Request, review_id: int) -> Response:
        """Return a review."""
        return as_json(ReviewShape.of(await self._reviews(request).get(review_id)))

    async def approve(self, request: Request, review_id: int) -> Response:
        """Agree, and move the label: somebody else than who asked where the rule says so, and after all checks."""
        asked = decode(await exchange_of(request).body(), DecisionRequest)
        return as_json(ReviewShape.of(await self._reviews(request).approve(review_id, comment=asked.comment)))

    async def approve_waiting(self, request: Request, prompt: str, query: Annotated[HomeQuery, Query()]) -> Response:
        """Approve a review of a prompt; which one need be said only if several wait."""
        asked = decode(await exchange_of(request).body(), ApproveRequest)
        reviews = self._reviews(request)
        if asked.review is None:
            review = await reviews.waiting(plain(prompt), **query.home())
        else:
            found = await self._app.prompts.by(exchange_of(request).actor).find(plain(prompt), **query.home())
            review = await reviews.get(asked.review)
            if review.prompt_id != found.id:
                raise ReviewNotFound(f"review {review.id} is not of prompt {found.name!r}", field="/review")
        return as_json(ReviewShape.of(await reviews.approve(review.id, comment=asked.comment)))

    async def reject(self, request: Request, review_id: int) -> Response:
        """Refuse; who asked for the review withdraws it."""
        asked = decode(await exchange_of(request).body(), DecisionRequest)
        return as_json(ReviewShape.of(await self._reviews(request).reject(review_id, comment=asked.comment)))

    async def check(self, request: Request, review_id: int) -> Response:
        """Run the test cases on the version of a review, and note how they went. Each is a recorded run, and costs."""
        return as_json(ReviewShape.of(await self._reviews(request).check(review_id)))

    async def _prompt_id(self, request: Request, query: RuleQuery) -> int | None:
        home = query.home()
        if query.prompt is None:
            return None
        return (await self._app.prompts.by(exchange_of(request).actor).find(query.prompt, **home)).id

    def _reviews(self, request: Request) -> Reviews:
        return self._app.reviews.by(exchange_of(request).actor)
