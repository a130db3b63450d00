"""One file a migration, never changed after a release. They name types themselves: a migration outlives the tables."""
