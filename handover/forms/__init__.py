"""Forms, a module for each part of a handover."""
