ALTER TABLE versions ADD COLUMN policy TEXT DEFAULT '{}' NOT NULL

ALTER TABLE executions ADD COLUMN purpose VARCHAR(16) DEFAULT 'app' NOT NULL

ALTER TABLE executions ADD COLUMN parent_id BLOB

ALTER TABLE executions ADD COLUMN cached_from BLOB

ALTER TABLE executions ADD COLUMN saved_usd FLOAT

ALTER TABLE payloads ADD COLUMN work TEXT

ALTER TABLE calls ADD COLUMN candidate INTEGER DEFAULT 0 NOT NULL

ALTER TABLE calls ADD COLUMN cache_write_token_count BIGINT

ALTER TABLE calls ADD COLUMN cache_write_1h_token_count BIGINT

CREATE TABLE cache_entries (
    project_id INTEGER DEFAULT 1 NOT NULL,
    "key" VARCHAR(64) NOT NULL,
    version_id INTEGER NOT NULL,
    source_id BLOB NOT NULL,
    value TEXT NOT NULL,
    text TEXT NOT NULL,
    model TEXT NOT NULL,
    finish_reason TEXT NOT NULL,
    cost_usd FLOAT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    CONSTRAINT pk_cache_entries PRIMARY KEY (project_id, "key"),
    CONSTRAINT fk_cache_entries_version_id FOREIGN KEY(version_id) REFERENCES versions (id)
)
 WITHOUT ROWID

CREATE INDEX ix_cache_entries_project_id_created_at_key ON cache_entries (project_id, created_at, "key")

CREATE INDEX ix_cache_entries_project_id_version_id ON cache_entries (project_id, version_id)
