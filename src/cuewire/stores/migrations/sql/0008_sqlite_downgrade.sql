DROP TABLE limits
