PRAGMA legacy_alter_table=ON

CREATE TABLE scopes (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    project_id INTEGER DEFAULT 1 NOT NULL,
    kind VARCHAR(16) NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    parent_id INTEGER,
    parameters TEXT NOT NULL,
    is_default BOOLEAN DEFAULT 0 NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    CONSTRAINT ck_scopes_kind CHECK (kind IN ('strategy', 'configuration')),
    CONSTRAINT uq_scopes_project_id_kind_name UNIQUE (project_id, kind, name),
    CONSTRAINT fk_scopes_parent_id FOREIGN KEY(parent_id) REFERENCES scopes (id)
)

CREATE TABLE template_types (
    project_id INTEGER DEFAULT 1 NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    variables TEXT NOT NULL,
    CONSTRAINT pk_template_types PRIMARY KEY (project_id, name)
)

CREATE TABLE users (
    id INTEGER NOT NULL,
    project_id INTEGER DEFAULT 1 NOT NULL,
    name TEXT NOT NULL,
    role VARCHAR(16) NOT NULL,
    created_at BIGINT NOT NULL,
    disabled_at BIGINT,
    CONSTRAINT pk_users PRIMARY KEY (id),
    CONSTRAINT uq_users_project_id_name UNIQUE (project_id, name)
)

ALTER TABLE prompts RENAME TO prompts_before

CREATE TABLE prompts (
    id INTEGER NOT NULL,
    project_id INTEGER DEFAULT 1 NOT NULL,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    archived_at BIGINT,
    strategy_id INTEGER,
    language TEXT DEFAULT 'en' NOT NULL,
    description TEXT DEFAULT '' NOT NULL,
    template_type TEXT DEFAULT 'general' NOT NULL,
    category TEXT DEFAULT '' NOT NULL,
    status VARCHAR(16) DEFAULT 'active' NOT NULL,
    revision INTEGER DEFAULT 1 NOT NULL,
    CONSTRAINT pk_prompts PRIMARY KEY (id),
    CONSTRAINT ck_prompts_status CHECK (status IN ('active', 'inactive', 'archived')),
    CONSTRAINT ck_prompts_archived CHECK ((status = 'archived') = (archived_at IS NOT NULL)),
    CONSTRAINT fk_prompts_strategy_id FOREIGN KEY(strategy_id) REFERENCES scopes (id)
)

INSERT INTO prompts (id, project_id, name, created_at, updated_at, archived_at, status)
SELECT id, project_id, name, created_at, updated_at, archived_at,
    CASE WHEN archived_at IS NULL THEN 'active' ELSE 'archived' END
FROM prompts_before

DROP TABLE prompts_before

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
    includes TEXT DEFAULT '{}' NOT NULL,
    lenient BOOLEAN DEFAULT 0 NOT NULL,
    parent INTEGER,
    author TEXT DEFAULT '' NOT NULL,
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
    user_id INTEGER,
    role VARCHAR(16) DEFAULT 'admin' NOT NULL,
    scopes TEXT,
    prompts TEXT,
    expires_at BIGINT,
    created_by TEXT DEFAULT '' NOT NULL,
    CONSTRAINT pk_api_keys PRIMARY KEY (project_id, id),
    CONSTRAINT fk_api_keys_user_id FOREIGN KEY(user_id) REFERENCES users (id)
)
 WITHOUT ROWID

INSERT INTO api_keys (project_id, id, name, secret_hash, created_at, revoked_at)
SELECT project_id, id, name, secret_hash, created_at, revoked_at
FROM api_keys_before

DROP TABLE api_keys_before

CREATE TRIGGER versions_refuse_update BEFORE UPDATE ON versions BEGIN SELECT RAISE(ABORT, 'versions are immutable'); END

CREATE TRIGGER versions_refuse_delete BEFORE DELETE ON versions BEGIN SELECT RAISE(ABORT, 'versions are immutable'); END

PRAGMA legacy_alter_table=OFF

CREATE TABLE prompt_tags (
    project_id INTEGER DEFAULT 1 NOT NULL,
    prompt_id INTEGER NOT NULL,
    tag TEXT NOT NULL,
    CONSTRAINT pk_prompt_tags PRIMARY KEY (project_id, prompt_id, tag),
    CONSTRAINT fk_prompt_tags_prompt_id FOREIGN KEY(prompt_id) REFERENCES prompts (id)
)
 WITHOUT ROWID

CREATE TABLE label_rules (
    project_id INTEGER DEFAULT 1 NOT NULL,
    prompt_id INTEGER NOT NULL,
    label TEXT NOT NULL,
    role VARCHAR(16) NOT NULL,
    needs_review BOOLEAN NOT NULL,
    checks TEXT NOT NULL,
    CONSTRAINT pk_label_rules PRIMARY KEY (project_id, prompt_id, label)
)
 WITHOUT ROWID

CREATE TABLE reviews (
    id INTEGER NOT NULL,
    project_id INTEGER DEFAULT 1 NOT NULL,
    prompt_id INTEGER NOT NULL,
    label TEXT NOT NULL,
    version_id INTEGER NOT NULL,
    status VARCHAR(16) NOT NULL,
    asked_by TEXT NOT NULL,
    asked_at BIGINT NOT NULL,
    decided_by TEXT,
    decided_at BIGINT,
    comment TEXT NOT NULL,
    checks TEXT NOT NULL,
    CONSTRAINT pk_reviews PRIMARY KEY (id),
    CONSTRAINT ck_reviews_status CHECK (status IN ('pending', 'approved', 'rejected', 'withdrawn')),
    CONSTRAINT fk_reviews_prompt_id FOREIGN KEY(prompt_id) REFERENCES prompts (id),
    CONSTRAINT fk_reviews_version_id FOREIGN KEY(version_id) REFERENCES versions (id)
)

CREATE TABLE events (
    id INTEGER NOT NULL,
    project_id INTEGER DEFAULT 1 NOT NULL,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    prompt_id INTEGER,
    data TEXT NOT NULL,
    CONSTRAINT pk_events PRIMARY KEY (id)
)

CREATE TABLE trading_signals (
    id INTEGER NOT NULL,
    project_id INTEGER DEFAULT 1 NOT NULL,
    symbol TEXT NOT NULL,
    strategy_id INTEGER,
    direction VARCHAR(16) NOT NULL,
    entry_price FLOAT,
    stop_price FLOAT,
    target_price FLOAT,
    confidence FLOAT,
    generated_at BIGINT NOT NULL,
    execution_id BLOB,
    prompt_template_id INTEGER,
    prompt_version INTEGER,
    prompt_type TEXT,
    outcome VARCHAR(16) DEFAULT 'pending' NOT NULL,
    actual_r_multiple FLOAT,
    profit_loss FLOAT,
    exit_price FLOAT,
    exit_time BIGINT,
    outcome_updated_at BIGINT,
    CONSTRAINT pk_trading_signals PRIMARY KEY (id),
    CONSTRAINT ck_trading_signals_outcome CHECK (outcome IN ('pending', 'win', 'loss', 'breakeven', 'cancelled')),
    CONSTRAINT fk_trading_signals_strategy_id FOREIGN KEY(strategy_id) REFERENCES scopes (id),
    CONSTRAINT fk_trading_signals_prompt_template_id FOREIGN KEY(prompt_template_id) REFERENCES prompts (id)
)

CREATE TABLE prompt_performance (
    id INTEGER NOT NULL,
    project_id INTEGER DEFAULT 1 NOT NULL,
    prompt_template_id INTEGER NOT NULL,
    prompt_version INTEGER NOT NULL,
    strategy_id INTEGER,
    evaluation_date DATE NOT NULL,
    signals_generated BIGINT NOT NULL,
    total_profit_loss FLOAT,
    win_count BIGINT NOT NULL,
    loss_count BIGINT NOT NULL,
    breakeven_count BIGINT NOT NULL,
    r_count BIGINT NOT NULL,
    avg_r_multiple FLOAT,
    max_r_multiple FLOAT,
    min_r_multiple FLOAT,
    win_rate FLOAT,
    avg_profit_per_trade FLOAT,
    avg_loss_per_trade FLOAT,
    is_dirty BOOLEAN DEFAULT 0 NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    CONSTRAINT pk_prompt_performance PRIMARY KEY (id),
    CONSTRAINT fk_prompt_performance_prompt_template_id FOREIGN KEY(prompt_template_id) REFERENCES prompts (id),
    CONSTRAINT fk_prompt_performance_strategy_id FOREIGN KEY(strategy_id) REFERENCES scopes (id)
)

CREATE INDEX ix_prompts_project_id_name_id ON prompts (project_id, name, id)

CREATE INDEX ix_prompts_project_id_strategy_id_name_id ON prompts (project_id, strategy_id, name, id)

CREATE INDEX ix_prompts_project_id_template_type_name_id ON prompts (project_id, template_type, name, id)

CREATE INDEX ix_prompts_project_id_updated_at_id ON prompts (project_id, updated_at, id)

CREATE UNIQUE INDEX uq_prompts_global ON prompts (project_id, name, language) WHERE archived_at IS NULL AND strategy_id IS NULL

CREATE UNIQUE INDEX uq_prompts_of_strategy ON prompts (project_id, strategy_id, name, language) WHERE archived_at IS NULL

CREATE INDEX ix_prompt_tags_project_id_tag_prompt_id ON prompt_tags (project_id, tag, prompt_id)

CREATE INDEX ix_reviews_project_id_id ON reviews (project_id, id)

CREATE INDEX ix_reviews_project_id_prompt_id_id ON reviews (project_id, prompt_id, id)

CREATE INDEX ix_reviews_project_id_status_id ON reviews (project_id, status, id)

CREATE INDEX ix_events_project_id_id ON events (project_id, id)

CREATE INDEX ix_events_project_id_prompt_id_id ON events (project_id, prompt_id, id)

CREATE INDEX ix_trading_signals_project_id_outcome ON trading_signals (project_id, outcome)

CREATE INDEX ix_trading_signals_project_id_prompt_template_id ON trading_signals (project_id, prompt_template_id)

CREATE INDEX ix_trading_signals_project_id_strategy_id ON trading_signals (project_id, strategy_id)

CREATE INDEX ix_prompt_performance_project_id_evaluation_date ON prompt_performance (project_id, evaluation_date)

CREATE UNIQUE INDEX uq_prompt_performance_global ON prompt_performance (project_id, prompt_template_id, prompt_version, evaluation_date) WHERE strategy_id IS NULL

CREATE UNIQUE INDEX uq_prompt_performance_of_strategy ON prompt_performance (project_id, prompt_template_id, prompt_version, strategy_id, evaluation_date) WHERE strategy_id IS NOT NULL

INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
('prompts', 'ix_prompts_project_id_name_id', '10000 10000 1 1'),
('prompts', 'ix_prompts_project_id_strategy_id_name_id', '10000 10000 2000 1 1'),
('prompts', 'ix_prompts_project_id_template_type_name_id', '10000 10000 1000 1 1'),
('prompts', 'ix_prompts_project_id_updated_at_id', '10000 10000 1 1'),
('prompts', 'uq_prompts_global', '10000 10000 1 1'),
('prompts', 'uq_prompts_of_strategy', '10000 10000 2000 1 1'),
('prompt_tags', 'prompt_tags', '30000 30000 3 1'),
('prompt_tags', 'ix_prompt_tags_project_id_tag_prompt_id', '30000 30000 600 1')

CREATE VIEW prompt_templates AS SELECT v.id AS id, v.prompt_id AS prompt_id, p.name AS name,
p.description AS description, p.template_type AS template_type,
CASE WHEN json_array_length(v.messages) = 1 AND json_type(v.messages, '$[0].content') = 'text'
THEN json_extract(v.messages, '$[0].content') ELSE v.messages END AS template_content, v.number AS version,
p.status = 'active' AND EXISTS (SELECT 1 FROM labels l WHERE l.project_id = v.project_id AND l.prompt_id = v.prompt_id
AND l.label = 'production' AND l.version_id = v.id) AS is_active, p.strategy_id IS NULL AS is_global,
p.strategy_id AS strategy_id, p.language AS language, NULL AS ab_test_group, p.category AS category,
strftime('%Y-%m-%d %H:%M:%S', v.created_at / 1000000, 'unixepoch') || printf('.%06d', v.created_at % 1000000)
AS created_at,
strftime('%Y-%m-%d %H:%M:%S', p.updated_at / 1000000, 'unixepoch') || printf('.%06d', p.updated_at % 1000000)
AS updated_at FROM versions v JOIN prompts p ON p.id = v.prompt_id
