"""Dates as the interface writes them, by language: Django's own English ones are those of one country."""
