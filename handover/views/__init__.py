"""The pages of a handover, one module for each thing that people do."""
