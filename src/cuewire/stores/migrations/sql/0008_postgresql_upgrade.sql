CREATE TABLE limits (
    project_id INTEGER DEFAULT 1 NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    used_until FLOAT NOT NULL,
    CONSTRAINT pk_limits PRIMARY KEY (project_id, name)
)
