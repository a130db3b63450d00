"""The migrations, run by Alembic: `cuewire db upgrade` for users, `make migration` to begin a new one."""
