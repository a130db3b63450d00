ALTER TABLE calls DROP COLUMN started_ms
