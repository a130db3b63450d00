"""The nouns: frozen values with no knowledge of databases, networks or files. Standard library and msgspec only."""
