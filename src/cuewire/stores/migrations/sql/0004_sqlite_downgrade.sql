PRAGMA legacy_alter_table=ON

DROP VIEW prompt_templates

DROP TABLE prompt_performance

DROP TABLE trading_signals

DROP TABLE events

DROP TABLE reviews

DROP TABLE label_rules

DROP TABLE prompt_tags

ALTER TABLE prompts RENAME TO prompts_before

CREATE TABLE prompts (
    id INTEGER NOT NULL,
    project_id INTEGER DEFAULT 1 NOT NULL,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    archived_at BIGINT,
    CONSTRAINT pk_prompts PRIMARY KEY (id),
    CONSTRAINT uq_prompts_project_id_name UNIQUE (project_id, name)
)

INSERT INTO prompts (id, project_id, name, created_at, updated_at, archived_at)
SELECT id, project_id,
    CASE WHEN EXISTS (SELECT 1 FROM prompts_before o WHERE o.name = prompts_before.name AND o.id < prompts_before.id)
    THEN substr(name, 1, 100) || '.' || id ELSE name END,
    created_at, updated_at, archived_at
FROM prompts_before

DROP TABLE prompts_before

DELETE FROM sqlite_stat1 WHERE tbl = 'prompts'

ALTER TABLE versions RENAME TO versions_before

CREATE TABLE versions (
    id INTEGER NOT NULL,
    project_id INTEGER DEFAULT 1 NOT NULL,
    prompt_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    messages TEXT NOT NULL,
    variables TEXT NOT NULL,
    model TEXT,
    parameters TEXT NOT NULL,
    output TEXT NOT NULL,
    content_hash VARCHAR(64) NOT NULL,
    note TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT pk_versions PRIMARY KEY (id),
    CONSTRAINT ck_versions_number CHECK (number > 0),
    CONSTRAINT uq_versions_project_id_prompt_id_number UNIQUE (project_id, prompt_id, number),
    CONSTRAINT fk_versions_prompt_id FOREIGN KEY(prompt_id) REFERENCES prompts (id)
)

INSERT INTO versions (id, project_id, prompt_id, number, messages, variables, model, parameters, output, content_hash, note, created_at)
SELECT id, project_id, prompt_id, number, messages, variables, model, parameters, output, content_hash, note, created_at
FROM versions_before

DROP TABLE versions_before

ALTER TABLE api_keys RENAME TO api_keys_before

CREATE TABLE api_keys (
    project_id INTEGER DEFAULT 1 NOT NULL,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    secret_hash VARCHAR(64) NOT NULL,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT,
    CONSTRAINT pk_api_keys PRIMARY KEY (project_id, id)
)
 WITHOUT ROWID

INSERT INTO api_keys (project_id, id, name, secret_hash, created_at, revoked_at)
SELECT project_id, id, name, secret_hash, created_at, revoked_at
FROM api_keys_before

DROP TABLE api_keys_before

CREATE TRIGGER versions_refuse_update BEFORE UPDATE ON versions BEGIN SELECT RAISE(ABORT, 'versions are immutable'); END

CREATE TRIGGER versions_refuse_delete BEFORE DELETE ON versions BEGIN SELECT RAISE(ABORT, 'versions are immutable'); END

DROP TABLE users

DROP TABLE template_types

DROP TABLE scopes

PRAGMA legacy_alter_table=OFF
