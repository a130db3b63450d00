"""Prompts as things with history: publishing, looking up, labelling."""
