class JobsError(Exception):
    """What a person asked of a job cannot be done. The message is translated and says what to do."""
