"""Settings, one concern a file. Every value that differs between machines comes from the environment;
a missing key fails at start (django-environ raises ImproperlyConfigured)."""

from config.settings.apps import *
from config.settings.base import *
from config.settings.data import *
from config.settings.delivery import *
from config.settings.i18n import *
from config.settings.logs import *
from config.settings.network import *
from config.settings.security import *
from config.settings.signin import *
from config.settings.work import *
