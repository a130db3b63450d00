"""What the stores are asked: one question after another, and for each index but guards the one it is there for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from sqlalchemy import Column, select

from cuewire.model.api_keys import ApiKey
from cuewire.model.outcomes import Outcome
from cuewire.model.prompts import EVERY_PROMPT, PromptFilter
from cuewire.model.references import Reference
from cuewire.model.reviews import LabelRule
from cuewire.model.users import User
from cuewire.stores.api_keys import SqlApiKeys
from cuewire.stores.cache import SqlCacheStore
from cuewire.stores.matches import SqlMatchStore
from cuewire.stores.questions import SqlQuestionStore
from cuewire.stores.schema import PROJECT, metadata, prompt_performance, trading_signals
from cuewire.stores.spend import SqlSpendStore
from cuewire.stores.users import SqlUsers
from tests.support.questions import drawn, match, nearest
from tests.support.questions import question as asked_question
from tests.support.stores import NOON, Stores, cache_entry, draft

Question: TypeAlias = Callable[[Stores], Awaitable[object]]

TESTED_ALONE = frozenset({"executions"})
"""Tables whose indexes have tests of their own."""


def listing(wanted: PromptFilter) -> Question:
    return lambda stores: stores.prompts.list(wanted, limit=2)


def rows_of(column: Column[object], value: object) -> Question:
    """Ask what nobody asks yet: the rows with a value."""
    table = column.table
    query = select(table).where(table.c.project_id == PROJECT, column == value)
    return lambda stores: stores.database.read(lambda connection: connection.execute(query).all())


QUESTIONS: Mapping[str, Question] = {
    "ix_prompts_project_id_name_id": listing(EVERY_PROMPT),
    "ix_prompts_project_id_strategy_id_name_id": listing(PromptFilter(strategy="trend")),
    "ix_prompts_project_id_template_type_name_id": listing(PromptFilter(template_type="analysis")),
    "ix_prompts_project_id_updated_at_id": listing(PromptFilter(sort="updated_at", descending=True)),
    "ix_prompt_tags_project_id_tag_prompt_id": listing(PromptFilter(tag="short")),
    "ix_reviews_project_id_id": lambda stores: stores.reviews.list(limit=2, before=9),
    "ix_reviews_project_id_prompt_id_id": lambda stores: stores.reviews.list(limit=2, prompt_id=1),
    "ix_reviews_project_id_status_id": lambda stores: stores.reviews.list(limit=2, status="pending"),
    "ix_events_project_id_id": lambda stores: stores.events.list(limit=2, after=9),
    "ix_events_project_id_prompt_id_id": lambda stores: stores.events.list(limit=2, prompt_id=1),
    "ix_cache_entries_project_id_created_at_key": lambda stores: SqlCacheStore(stores.database).list(limit=2),
    "ix_cache_entries_project_id_version_id": lambda stores: SqlCacheStore(stores.database).clear(version_ids=[1]),
    "ix_cache_entries_project_id_expires_at": lambda stores: SqlCacheStore(stores.database).sweep(now=NOON, limit=2),
    "ix_cache_questions_project_id_partition_id": lambda stores: SqlQuestionStore(stores.database).since(
        "p" * 64, after=7, limit=2
    ),
    "ix_cache_matches_project_id_version_id_execution_id": lambda stores: SqlMatchStore(stores.database).list(
        limit=2, version_ids=[1]
    ),
    "ix_cache_matches_project_id_subject_verdict": lambda stores: SqlMatchStore(stores.database).trust("s" * 64),
    "ix_trading_signals_project_id_strategy_id": rows_of(trading_signals.c.strategy_id, 1),
    "ix_trading_signals_project_id_outcome": rows_of(trading_signals.c.outcome, "win"),
    "ix_trading_signals_project_id_prompt_template_id": rows_of(trading_signals.c.prompt_template_id, 1),
    "ix_prompt_performance_project_id_evaluation_date": rows_of(prompt_performance.c.evaluation_date, NOON.date()),
}


def indexes() -> set[str]:
    """Return the names of all indexes that answer questions; those that are unique are guards."""
    return {
        str(index.name)
        for table in metadata.tables.values()
        for index in table.indexes
        if not index.unique and table.name not in TESTED_ALONE
    }


async def ask_prompts(stores: Stores) -> None:
    """Change and read prompts, and what belongs to them, of a store that has one prompt `greet`."""
    await stores.prompts.publish(draft(text="two"), labels=["candidate"], details={"tags": ["short"]})
    await stores.prompts.publish(draft("hello"), strategy="trend", is_new=True)
    await stores.prompts.label("greet", "production", 2, expected=1)
    for reference in ({}, {"number": 1}, {"strategy": "trend", "language": "de"}):
        await stores.prompts.resolve(Reference(name="greet", **reference))
    prompt = await stores.prompts.get("greet")
    await stores.prompts.get(str(prompt.id))
    await stores.prompts.versions("greet")
    await stores.prompts.versions("greet", numbers=[2])
    for question in QUESTIONS.values():
        await question(stores)
    await stores.prompts.list(PromptFilter(strategy="trend", with_global=True, names=("greet", "team/*")), limit=2)
    await stores.prompts.change("greet", details={"tags": ["long"]}, status="archived")
    await stores.prompts.change("greet", status="active")
    await stores.events.list(limit=2, after=1, among=["greet", "team/*"])
    await stores.events.last()


async def ask_reviews(stores: Stores) -> None:
    """Protect a label of the prompt `greet`, and decide."""
    prompt = await stores.prompts.get("greet")
    await stores.rules.set_rule(LabelRule(label="production", prompt_id=prompt.id, needs_review=True), by="ada")
    await stores.rules.rules(prompt.id)
    review = await stores.reviews.ask(prompt.id, "production", 1, by="bob", comment="")
    await stores.reviews.check(review.id, [])
    await stores.reviews.list(limit=2, status="pending", among=["greet", "team/*"])
    await stores.reviews.decide(review.id, status="approved", by="ada", comment="")
    await stores.rules.drop_rule("production", prompt_id=prompt.id, by="ada")


async def ask_scopes(stores: Stores) -> None:
    """Make a configuration below another, change and remove it."""
    for name, parent in (("base", None), ("own", "base")):
        await stores.scopes.put("configuration", name, {"parent": parent}, is_new=True, by="ada")
    await stores.scopes.put("configuration", "own", {"is_default": True}, is_new=False, by="ada")
    await stores.scopes.get("configuration", "own")
    await stores.scopes.list("configuration")
    await stores.scopes.remove("configuration", "own", by="ada")


async def ask_executions(stores: Stores) -> None:
    """Read an execution, and report what became of it."""
    one = (await stores.executions.list(limit=1)).items[0].id
    await stores.executions.list(limit=1, among=["greet", "team/*"])
    await stores.executions.get(one)
    await stores.outcomes.report([Outcome(execution_id=one, name="stars", value=5, reported_at=NOON)])
    await stores.outcomes.list(one)
    await SqlSpendStore(stores.database).spent_usd(since=NOON)
    await SqlSpendStore(stores.database).spent_usd(since=NOON, prompt="greet")


async def ask_access(stores: Stores) -> None:
    """Add a user and a key, look them up, and change them."""
    keys, users = SqlApiKeys(stores.database), SqlUsers(stores.database)
    await users.add(User(name="ada", role="admin", created_at=NOON), by="local")
    await users.change("ada", at=NOON, by="local", disabled=False)
    await users.list()
    await keys.add(ApiKey(id="abcdefghij", name="laptop", secret_hash="a" * 64, created_at=NOON))
    await keys.revoke("abcdefghij", at=NOON, by="ada")
    await keys.find("abcdefghij")
    await keys.list()


async def ask_cache(stores: Stores) -> None:
    """Keep an answer of the prompt `greet`, look for it and its question, note a match, and clear what there is."""
    cache, version = SqlCacheStore(stores.database), await stores.prompts.resolve(Reference(name="greet"))
    asked = asked_question(drawn(7))
    await cache.put(cache_entry(version_id=version.id), question=asked)
    await nearest(SqlQuestionStore(stores.database), [1, 2, 3], asked, now=NOON)
    matches, one = SqlMatchStore(stores.database), match(version.id)
    await matches.add(one)
    for undecided in (True, False):
        await matches.list(limit=2, undecided=undecided)
        await matches.list(limit=2, undecided=undecided, version_ids=[version.id])
    await matches.decide(one.execution_id, "right", by="ada", at=NOON)
    await matches.get(one.execution_id)
    await cache.find("0" * 64, now=NOON)
    await cache.stats(now=NOON)
    await cache.sweep(now=NOON, limit=1)


async def ask_all(stores: Stores) -> None:
    for ask in (ask_prompts, ask_reviews, ask_scopes, ask_executions, ask_access, ask_cache):
        await ask(stores)
