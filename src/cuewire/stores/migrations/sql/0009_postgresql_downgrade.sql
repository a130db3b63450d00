ALTER TABLE executions DROP COLUMN actor
