#!/usr/bin/env python3
"""Django's command line. `bin/manage` runs it inside the project's environment with its services."""

import os
import sys

from django.core.management import execute_from_command_line

from tenancy import rights

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    # Who runs commands on the machine acts for the platform. Requests under `runserver` have threads of their own.
    with rights.everything():
        execute_from_command_line(sys.argv)
