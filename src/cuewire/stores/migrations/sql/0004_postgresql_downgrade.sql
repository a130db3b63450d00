DROP VIEW prompt_templates

DROP TABLE prompt_performance

DROP TABLE trading_signals

DROP TABLE events

DROP TABLE reviews

DROP TABLE label_rules

DROP TABLE prompt_tags

DROP INDEX ix_prompts_project_id_name_id

DROP INDEX ix_prompts_project_id_strategy_id_name_id

DROP INDEX ix_prompts_project_id_template_type_name_id

DROP INDEX ix_prompts_project_id_updated_at_id

DROP INDEX uq_prompts_global

DROP INDEX uq_prompts_of_strategy

ALTER TABLE prompts DROP COLUMN strategy_id

ALTER TABLE prompts DROP COLUMN language

ALTER TABLE prompts DROP COLUMN description

ALTER TABLE prompts DROP COLUMN template_type

ALTER TABLE prompts DROP COLUMN category

ALTER TABLE prompts DROP COLUMN status

ALTER TABLE prompts DROP COLUMN revision

ALTER TABLE versions DROP COLUMN includes

ALTER TABLE versions DROP COLUMN lenient

ALTER TABLE versions DROP COLUMN parent

ALTER TABLE versions DROP COLUMN author

ALTER TABLE api_keys DROP COLUMN user_id

ALTER TABLE api_keys DROP COLUMN role

ALTER TABLE api_keys DROP COLUMN scopes

ALTER TABLE api_keys DROP COLUMN prompts

ALTER TABLE api_keys DROP COLUMN expires_at

ALTER TABLE api_keys DROP COLUMN created_by

UPDATE prompts SET name = substr(name, 1, 100) || '.' || id
WHERE EXISTS (SELECT 1 FROM prompts o WHERE o.name = prompts.name AND o.id < prompts.id)

ALTER TABLE prompts ADD CONSTRAINT uq_prompts_project_id_name UNIQUE (project_id, name)

DROP TABLE users

DROP TABLE template_types

DROP TABLE scopes
