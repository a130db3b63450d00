"""Where rates are counted: in this process, or in Redis for several."""
