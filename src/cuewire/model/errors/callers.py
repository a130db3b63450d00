"""What was asked for cannot be: it is not well formed, not there, contradicts what is stored, or not theirs to ask."""

from __future__ import annotations

from cuewire.model.errors.root import CuewireError


class InvalidInput(CuewireError):
    """A value given by the caller cannot be used; `problems` lists all of them as (JSON pointer, what is wrong)."""

    code = "invalid_input"

    def __init__(
        self, message: str, *, hint: str = "", field: str = "", problems: tuple[tuple[str, str], ...] = ()
    ) -> None:
        super().__init__(message, hint=hint, field=field or (problems[0][0] if problems else ""))
        self.problems = problems


class NotFound(CuewireError):
    """Something named by the caller does not exist."""

    code = "not_found"


class PromptNotFound(NotFound):
    """No prompt has this name, or it is archived."""

    code = "prompt_not_found"


class LabelNotFound(NotFound):
    """The prompt exists, but no version carries this label."""

    code = "label_not_found"


class VersionNotFound(NotFound):
    """The prompt exists, but has no version of this number."""

    code = "version_not_found"


class ModelNotFound(NotFound):
    """The version names no model, or a provider that is not configured."""

    code = "model_not_found"


class ExecutionNotFound(NotFound):
    """No execution has this id."""

    code = "execution_not_found"


class ApiKeyNotFound(NotFound):
    """No API key has this id."""

    code = "api_key_not_found"


class ScopeNotFound(NotFound):
    """No strategy or configuration has this name or id."""

    code = "scope_not_found"


class TemplateTypeNotFound(NotFound):
    """No type of templates has this name."""

    code = "template_type_not_found"


class UserNotFound(NotFound):
    """No user has this name."""

    code = "user_not_found"


class ReviewNotFound(NotFound):
    """No review has this id."""

    code = "review_not_found"


class Conflict(CuewireError):
    """The request contradicts what is stored."""

    code = "conflict"


class IdempotencyMismatch(Conflict):
    """The idempotency key was used before with another request."""

    code = "idempotency_mismatch"


class StillRunning(Conflict):
    """The execution with this idempotency key has not ended yet."""

    code = "still_running"


class PromptArchived(Conflict):
    """The prompt is archived and takes no new versions or labels."""

    code = "prompt_archived"


class PromptExists(Conflict):
    """There is a prompt of this name in this scope and language."""

    code = "prompt_exists"


class ScopeExists(Conflict):
    """There is a strategy or configuration of this name."""

    code = "scope_exists"


class UserExists(Conflict):
    """There is a user of this name."""

    code = "user_exists"


class LabelMoved(Conflict):
    """The label no longer is where the caller takes it to be."""

    code = "label_moved"


class ReviewRequired(Conflict):
    """The label is protected, and what was asked waits for a review."""

    code = "review_required"


class ReviewDecided(Conflict):
    """The review has been decided."""

    code = "review_decided"


class StillInUse(Conflict):
    """What was to be removed is in use."""

    code = "still_in_use"


class Outdated(CuewireError):
    """What the caller means to change has changed since they read it."""

    code = "outdated"


class Forbidden(CuewireError):
    """Who asks may not do this."""

    code = "forbidden"
