CREATE TABLE scopes (
    id BIGSERIAL NOT NULL,
    project_id INTEGER DEFAULT 1 NOT NULL,
    kind VARCHAR(16) NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    description TEXT NOT NULL,
    parent_id BIGINT,
    parameters JSON NOT NULL,
    is_default BOOLEAN DEFAULT false NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_scopes PRIMARY KEY (id),
    CONSTRAINT ck_scopes_kind CHECK (kind IN ('strategy', 'configuration')),
    CONSTRAINT uq_scopes_project_id_kind_name UNIQUE (project_id, kind, name),
    CONSTRAINT fk_scopes_parent_id FOREIGN KEY(parent_id) REFERENCES scopes (id)
)

CREATE TABLE template_types (
    project_id INTEGER DEFAULT 1 NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    description TEXT NOT NULL,
    variables JSON NOT NULL,
    CONSTRAINT pk_template_types PRIMARY KEY (project_id, name)
)

CREATE TABLE users (
    id BIGSERIAL NOT NULL,
    project_id INTEGER DEFAULT 1 NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    role VARCHAR(16) NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    disabled_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_users PRIMARY KEY (id),
    CONSTRAINT uq_users_project_id_name UNIQUE (project_id, name)
)

ALTER TABLE prompts ADD COLUMN strategy_id BIGINT

ALTER TABLE prompts ADD COLUMN language TEXT COLLATE "C" DEFAULT 'en' NOT NULL

ALTER TABLE prompts ADD COLUMN description TEXT DEFAULT '' NOT NULL

ALTER TABLE prompts ADD COLUMN template_type TEXT COLLATE "C" DEFAULT 'general' NOT NULL

ALTER TABLE prompts ADD COLUMN category TEXT DEFAULT '' NOT NULL

ALTER TABLE prompts ADD COLUMN status VARCHAR(16) DEFAULT 'active' NOT NULL

ALTER TABLE prompts ADD COLUMN revision BIGINT DEFAULT 1 NOT NULL

ALTER TABLE prompts ADD CONSTRAINT ck_prompts_status CHECK (status IN ('active', 'inactive', 'archived'))

ALTER TABLE prompts ADD CONSTRAINT fk_prompts_strategy_id FOREIGN KEY(strategy_id) REFERENCES scopes (id)

UPDATE prompts SET status = 'archived' WHERE archived_at IS NOT NULL

ALTER TABLE prompts ADD CONSTRAINT ck_prompts_archived CHECK ((status = 'archived') = (archived_at IS NOT NULL))

ALTER TABLE prompts DROP CONSTRAINT uq_prompts_project_id_name

ALTER TABLE versions ADD COLUMN includes JSON DEFAULT '{}' NOT NULL

ALTER TABLE versions ADD COLUMN lenient BOOLEAN DEFAULT false NOT NULL

ALTER TABLE versions ADD COLUMN parent BIGINT

ALTER TABLE versions ADD COLUMN author TEXT DEFAULT '' NOT NULL

ALTER TABLE api_keys ADD COLUMN user_id BIGINT

ALTER TABLE api_keys ADD COLUMN role VARCHAR(16) DEFAULT 'admin' NOT NULL

ALTER TABLE api_keys ADD COLUMN scopes JSON

ALTER TABLE api_keys ADD COLUMN prompts JSON

ALTER TABLE api_keys ADD COLUMN expires_at TIMESTAMP WITH TIME ZONE

ALTER TABLE api_keys ADD COLUMN created_by TEXT DEFAULT '' NOT NULL

ALTER TABLE api_keys ADD CONSTRAINT fk_api_keys_user_id FOREIGN KEY(user_id) REFERENCES users (id)

CREATE TABLE prompt_tags (
    project_id INTEGER DEFAULT 1 NOT NULL,
    prompt_id BIGINT NOT NULL,
    tag TEXT COLLATE "C" NOT NULL,
    CONSTRAINT pk_prompt_tags PRIMARY KEY (project_id, prompt_id, tag),
    CONSTRAINT fk_prompt_tags_prompt_id FOREIGN KEY(prompt_id) REFERENCES prompts (id)
)

CREATE TABLE label_rules (
    project_id INTEGER DEFAULT 1 NOT NULL,
    prompt_id BIGINT NOT NULL,
    label TEXT COLLATE "C" NOT NULL,
    role VARCHAR(16) NOT NULL,
    needs_review BOOLEAN NOT NULL,
    checks JSON NOT NULL,
    CONSTRAINT pk_label_rules PRIMARY KEY (project_id, prompt_id, label)
)

CREATE TABLE reviews (
    id BIGSERIAL NOT NULL,
    project_id INTEGER DEFAULT 1 NOT NULL,
    prompt_id BIGINT NOT NULL,
    label TEXT COLLATE "C" NOT NULL,
    version_id BIGINT NOT NULL,
    status VARCHAR(16) NOT NULL,
    asked_by TEXT NOT NULL,
    asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    decided_by TEXT,
    decided_at TIMESTAMP WITH TIME ZONE,
    comment TEXT NOT NULL,
    checks JSON NOT NULL,
    CONSTRAINT pk_reviews PRIMARY KEY (id),
    CONSTRAINT ck_reviews_status CHECK (status IN ('pending', 'approved', 'rejected', 'withdrawn')),
    CONSTRAINT fk_reviews_prompt_id FOREIGN KEY(prompt_id) REFERENCES prompts (id),
    CONSTRAINT fk_reviews_version_id FOREIGN KEY(version_id) REFERENCES versions (id)
)

CREATE TABLE events (
    id BIGSERIAL NOT NULL,
    project_id INTEGER DEFAULT 1 NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    actor TEXT NOT NULL,
    action TEXT COLLATE "C" NOT NULL,
    prompt_id BIGINT,
    data JSON NOT NULL,
    CONSTRAINT pk_events PRIMARY KEY (id)
)

CREATE TABLE trading_signals (
    id BIGSERIAL NOT NULL,
    project_id INTEGER DEFAULT 1 NOT NULL,
    symbol TEXT COLLATE "C" NOT NULL,
    strategy_id BIGINT,
    direction VARCHAR(16) NOT NULL,
    entry_price FLOAT,
    stop_price FLOAT,
    target_price FLOAT,
    confidence FLOAT,
    generated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    execution_id UUID,
    prompt_template_id BIGINT,
    prompt_version BIGINT,
    prompt_type TEXT COLLATE "C",
    outcome VARCHAR(16) DEFAULT 'pending' NOT NULL,
    actual_r_multiple FLOAT,
    profit_loss FLOAT,
    exit_price FLOAT,
    exit_time TIMESTAMP WITH TIME ZONE,
    outcome_updated_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_trading_signals PRIMARY KEY (id),
    CONSTRAINT ck_trading_signals_outcome CHECK (outcome IN ('pending', 'win', 'loss', 'breakeven', 'cancelled')),
    CONSTRAINT fk_trading_signals_strategy_id FOREIGN KEY(strategy_id) REFERENCES scopes (id),
    CONSTRAINT fk_trading_signals_prompt_template_id FOREIGN KEY(prompt_template_id) REFERENCES prompts (id)
)

CREATE TABLE prompt_performance (
    id BIGSERIAL NOT NULL,
    project_id INTEGER DEFAULT 1 NOT NULL,
    prompt_template_id BIGINT NOT NULL,
    prompt_version BIGINT NOT NULL,
    strategy_id BIGINT,
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
    is_dirty BOOLEAN DEFAULT false NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
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

CREATE TRIGGER scopes_tell_change AFTER INSERT OR UPDATE OR DELETE ON scopes FOR EACH STATEMENT EXECUTE FUNCTION prompts_tell_change()

CREATE VIEW prompt_templates AS SELECT v.id AS id, v.prompt_id AS prompt_id, p.name AS name,
p.description AS description, p.template_type AS template_type,
CASE WHEN json_array_length(v.messages) = 1 AND json_typeof(v.messages->0->'content') = 'string'
THEN v.messages->0->>'content' ELSE v.messages::text END AS template_content, v.number AS version,
p.status = 'active' AND EXISTS (SELECT 1 FROM labels l WHERE l.project_id = v.project_id AND l.prompt_id = v.prompt_id
AND l.label = 'production' AND l.version_id = v.id) AS is_active, p.strategy_id IS NULL AS is_global,
p.strategy_id AS strategy_id, p.language AS language, NULL::text AS ab_test_group, p.category AS category,
v.created_at AS created_at, p.updated_at AS updated_at FROM versions v JOIN prompts p ON p.id = v.prompt_id
