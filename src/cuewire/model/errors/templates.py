"""What is wrong with a template."""

from __future__ import annotations

from cuewire.model.errors.root import CuewireError


class TemplateError(CuewireError):
    """A template cannot be compiled or rendered; `line` and `column` count from 1, 0 means unknown."""

    code = "template_error"

    def __init__(self, message: str, *, hint: str = "", field: str = "", line: int = 0, column: int = 0) -> None:
        super().__init__(message, hint=hint, field=field)
        self.line = line
        self.column = column

    def __str__(self) -> str:
        if not self.line:
            return super().__str__()
        place = f"line {self.line}, column {self.column}" if self.column else f"line {self.line}"
        return f"{super().__str__()} ({place})"


class TemplateSyntaxError(TemplateError):
    """The template is not valid Jinja2."""

    code = "template_syntax"


class TemplateForbidden(TemplateError):
    """The template uses something that the sandbox refuses."""

    code = "template_forbidden"


class TemplateUndefined(TemplateError):
    """The template reads a value that was not given."""

    code = "template_undefined"


class TemplateLimitExceeded(TemplateError):
    """The template is too large, or needs too much time, memory or output."""

    code = "template_limit_exceeded"
