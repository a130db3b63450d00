DROP TABLE cache_entries

ALTER TABLE calls DROP COLUMN cache_write_1h_token_count

ALTER TABLE calls DROP COLUMN cache_write_token_count

ALTER TABLE calls DROP COLUMN candidate

ALTER TABLE payloads DROP COLUMN work

ALTER TABLE executions DROP COLUMN saved_usd

ALTER TABLE executions DROP COLUMN cached_from

ALTER TABLE executions DROP COLUMN parent_id

ALTER TABLE executions DROP COLUMN purpose

ALTER TABLE versions DROP COLUMN policy
