"""What the long work of this room does, chunk by chunk: one module for each pair of jobs."""
