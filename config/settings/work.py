from celery.schedules import crontab

from config.settings.data import REDIS_URL
from config.settings.i18n import TIME_ZONE

CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TIMEZONE = TIME_ZONE
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# The limit stays below the visibility timeout: a task that outlives it would be delivered twice.
CELERY_TASK_TIME_LIMIT = 50 * 60
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 60 * 60}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_SCHEDULE = {
    "wake paused jobs": {"task": "jobs.wake", "schedule": 30.0},
    "resume stalled jobs": {"task": "jobs.resume_stalled", "schedule": 30.0},
    "seal the ledger": {"task": "ledger.seal", "schedule": 10.0},
    "nightly backup of every book": {"task": "handover.back_up_books", "schedule": crontab(hour="2", minute="15")},
    "recompute the whole ledger": {"task": "ledger.verify", "schedule": crontab(hour="4", minute="30")},
    "teams follow memberships": {"task": "accounts.repair_teams", "schedule": crontab(hour="5", minute="10")},
    "remind of courses that expire": {"task": "accounts.remind", "schedule": crontab(hour="7", minute="30")},
    "end and remind of customers' notices": {"task": "handover.notices", "schedule": crontab(hour="8", minute="0")},
    "destroy expired packages": {"task": "handover.packages", "schedule": crontab(hour="3", minute="10")},
    "accept and close handovers": {"task": "handover.after", "schedule": crontab(hour="0", minute="20")},
    "destroy expired customers": {"task": "customers.purge_expired", "schedule": crontab(hour="3", minute="40")},
}
