"""Settings, one concern a file. Every value that differs between machines comes from the environment;
a missing key fails at start (django-environ raises ImproperlyConfigured)."""

from config.settings.apps import *  # noqa: F403
from config.settings.base import *  # noqa: F403
from config.settings.data import *  # noqa: F403
from config.settings.i18n import *  # noqa: F403
from config.settings.logs import *  # noqa: F403
from config.settings.security import *  # noqa: F403
from config.settings.signin import *  # noqa: F403
from config.settings.work import *  # noqa: F403
