"""Where requests come from and how many of them are answered."""

from django.core.exceptions import ImproperlyConfigured

from config.settings.base import env

# How many proxies of ours stand in front of the web servers: so many entries at the end of X-Forwarded-For are true.
PROXIES = env.int("PROXIES", default=int(env.bool("BEHIND_PROXY", default=False)))
if PROXIES < 0:
    raise ImproperlyConfigured("PROXIES counts the proxies in front of the web servers: 0, 1, 2 ...")

# The client's address is decided once, by accounts.network; django-structlog would believe any header.
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False

_REVEALS = env.int("REVEALS_PER_HOUR", default=60)
if _REVEALS < 1:
    raise ImproperlyConfigured("REVEALS_PER_HOUR is at least 1: who may open nothing has no role at the organization.")
_MINUTE, _HOUR = 60, 60 * 60
# Action: (counted per, how many, within seconds). Everybody in an office shares its address: it gets more.
RATE_LIMITS = {
    "reveal": [("person", _REVEALS, _HOUR), ("address", 600, _HOUR)],
    "export": [("person", 20, _HOUR), ("address", 100, _HOUR)],
    "upload": [("person", 30, _HOUR), ("address", 120, _HOUR)],
    "report": [("person", 20, _HOUR), ("address", 100, _HOUR)],
    "search": [("person", 60, 10 * _MINUTE), ("address", 600, 10 * _MINUTE)],
    # "subject" is the e-mail address that was typed, known or not: the answer tells nobody who has an account.
    "password_reset": [("subject", 5, _HOUR), ("address", 20, _HOUR)],
    # "subject" is the address that is invited: nobody's mailbox is filled.
    "invite": [("person", 30, _HOUR), ("subject", 5, _HOUR), ("address", 60, _HOUR)],
    "invitation": [("address", 30, _HOUR)],
    # Anybody may ask: a hash cannot be guessed, so this only keeps the page answering.
    "verify": [("address", 60, 10 * _MINUTE)],
    # Wrong links; and answers, where "subject" is the customer's own link.
    "notice_link": [("address", 60, _HOUR)],
    "notice_answer": [("subject", 30, _HOUR), ("address", 600, _HOUR)],
    "csp_report": [("address", 60, _MINUTE)],
}
