DROP TABLE cache_matches

DROP TABLE cache_questions

ALTER TABLE payloads DROP COLUMN matched_text

ALTER TABLE executions DROP COLUMN similarity

DROP INDEX ix_cache_entries_project_id_expires_at
