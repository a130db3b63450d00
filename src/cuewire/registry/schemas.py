"""JSON Schemas, compiled once: patterns run on a linear engine, and no reference leads out of the document."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from cuewire.model.errors import InvalidInput

if TYPE_CHECKING:
    from jsonschema_rs import Validator


def compiled(schema: dict[str, Any], *, pointer: str = "") -> Validator:
    """Return the validator of a schema. Raises InvalidInput, with the pointer, if it is not one."""
    try:
        return _compile(msgspec.json.encode(schema, order="deterministic"))
    except InvalidInput as error:
        error.field = pointer
        raise


@lru_cache(maxsize=1_024)
def _compile(schema: bytes) -> Validator:
    import jsonschema_rs  # 20 ms that text prompts do not need

    try:
        return jsonschema_rs.validator_for(
            msgspec.json.decode(schema), pattern_options=jsonschema_rs.RegexOptions(), offline=True
        )
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        first_line = str(error).partition("\n")[0]
        raise InvalidInput(f"not a usable JSON Schema: {first_line[:200]}") from None
