"""What goes wrong with the database, the server and the settings."""

from __future__ import annotations

from cuewire.model.errors.root import CuewireError


class StoreError(CuewireError):
    """The database cannot do what was asked."""

    code = "store_error"


class StoreBusy(StoreError):
    """Another process holds the database longer than we wait."""

    code = "store_busy"


class StoreUnavailable(StoreError):
    """The database server does not answer, or the connection to it broke."""

    code = "store_unavailable"


class StoreFull(StoreError):
    """The disk is full, or the file is read-only."""

    code = "store_full"


class StoreDamaged(StoreError):
    """The file is not a database, or its pages are damaged."""

    code = "store_damaged"


class SchemaMismatch(StoreError):
    """The database was made by another version of Cuewire."""

    code = "schema_mismatch"


class RecordNotWritten(StoreError):
    """The model answered, but the record could not be made durable; `text` is the answer, so that it is not lost."""

    code = "record_not_written"

    def __init__(self, message: str, *, hint: str = "", text: str = "") -> None:
        super().__init__(message, hint=hint)
        self.text = text


class ServerError(CuewireError):
    """A Cuewire server did not do what was asked."""

    code = "server_error"


class AccessDenied(ServerError):
    """The server does not know the API key, or the key may not do this."""

    code = "access_denied"


class ServerUnavailable(ServerError):
    """No server answers at the address, or it takes no more work for now."""

    code = "server_unavailable"


class ConfigError(CuewireError):
    """A setting is missing, unknown or contradictory."""

    code = "config_error"


class MissingExtra(ConfigError):
    """The feature needs an optional part that is not installed."""

    code = "missing_extra"
