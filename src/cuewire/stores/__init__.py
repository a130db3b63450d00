"""The databases. Importing a module of this package loads SQLAlchemy, so import it where a database is opened."""
