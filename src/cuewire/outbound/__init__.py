"""The only place that opens a network connection: one transport port, its implementation, and the address policy."""
