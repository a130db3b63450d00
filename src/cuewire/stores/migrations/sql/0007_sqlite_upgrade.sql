ALTER TABLE executions ADD COLUMN similarity FLOAT

ALTER TABLE payloads ADD COLUMN matched_text TEXT

CREATE TABLE cache_questions (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    project_id INTEGER DEFAULT 1 NOT NULL,
    "key" VARCHAR(64) NOT NULL,
    partition VARCHAR(64) NOT NULL,
    text TEXT NOT NULL,
    signs BLOB NOT NULL,
    vector BLOB NOT NULL,
    CONSTRAINT uq_cache_questions_project_id_key UNIQUE (project_id, "key"),
    CONSTRAINT fk_cache_questions_project_id_key FOREIGN KEY(project_id, "key") REFERENCES cache_entries (project_id, "key") ON DELETE CASCADE
)

CREATE INDEX ix_cache_questions_project_id_partition_id ON cache_questions (project_id, partition, id)

CREATE TABLE cache_matches (
    project_id INTEGER DEFAULT 1 NOT NULL,
    execution_id BLOB NOT NULL,
    version_id INTEGER NOT NULL,
    subject VARCHAR(64) NOT NULL,
    source_id BLOB NOT NULL,
    similarity FLOAT NOT NULL,
    text TEXT NOT NULL,
    matched_text TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    verdict VARCHAR(8),
    decided_by TEXT,
    decided_at BIGINT,
    CONSTRAINT pk_cache_matches PRIMARY KEY (project_id, execution_id),
    CONSTRAINT ck_cache_matches_verdict CHECK (verdict IN ('right', 'wrong')),
    CONSTRAINT fk_cache_matches_version_id FOREIGN KEY(version_id) REFERENCES versions (id)
)

CREATE INDEX ix_cache_matches_project_id_subject_verdict ON cache_matches (project_id, subject, verdict)

CREATE INDEX ix_cache_matches_project_id_version_id_execution_id ON cache_matches (project_id, version_id, execution_id)

CREATE INDEX ix_cache_entries_project_id_expires_at ON cache_entries (project_id, expires_at)
