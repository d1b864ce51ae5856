"""Ways out of the platform for messages to customers."""
