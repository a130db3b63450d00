"""Kinds of templates, each with the inputs that its templates usually read; and the words of the template language."""

from __future__ import annotations

from typing import Any, Literal

from cuewire.model.values import Value


class CatalogueVariable(Value, frozen=True):
    """An input that templates of a type usually read. Its JSON Schema holds its `description` and `examples`.

    One that is `readOnly` there is given by the renderer, not by who runs the prompt. `aliases` are other names for it.
    """

    name: str
    json_schema: dict[str, Any] = {}
    aliases: tuple[str, ...] = ()

    @property
    def description(self) -> str:
        """Say what it is."""
        return str(self.json_schema.get("description", ""))

    @property
    def example(self) -> Any:
        """Return a value that it may have, None if none is known."""
        examples = self.json_schema.get("examples")
        return examples[0] if isinstance(examples, list | tuple) and examples else None


class TemplateType(Value, frozen=True):
    """A type of templates: editor, validation and preview read the same variables."""

    name: str
    description: str
    variables: tuple[CatalogueVariable, ...] = ()

    def find(self, name: str) -> CatalogueVariable | None:
        """Return the variable of a name or an alias, None if there is none."""
        return next((each for each in self.variables if name == each.name or name in each.aliases), None)


class Word(Value, frozen=True):
    """A filter, function or test of the template language. Rendering the example gives the result."""

    kind: Literal["filter", "function", "test"]
    family: str
    name: str
    signature: str
    description: str
    example: str
    result: str
