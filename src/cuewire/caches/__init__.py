"""What helps to find answers again: bits in memory, and memory that processes share."""
