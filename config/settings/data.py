from django.core.exceptions import ImproperlyConfigured

from config.settings.base import BASE_DIR, DEBUG, VAR_DIR, env, required

_DATABASE_URL = required("DATABASE_URL")
if not _DATABASE_URL.startswith(("postgres://", "postgresql://")):
    raise ImproperlyConfigured("DATABASE_URL must begin with postgres:// - no other database will do.")
DATABASES = {"default": env.db_url_config(_DATABASE_URL)}
DATABASES["default"] |= {
    "ENGINE": "tenancy.postgres",
    "CONN_MAX_AGE": env.int("CONN_MAX_AGE", default=60),
    # Or the first request on each connection would fail after the server was restarted.
    "CONN_HEALTH_CHECKS": True,
}
_LOGIN = ("USER", "PASSWORD", "HOST", "PORT")
DATABASE_APPLICATION = {name: DATABASES["default"][name] for name in _LOGIN}
# Who owns the tables: only `manage.py migrate` needs it. Where one role does both, no policy holds anything back.
_OWNER = env.db_url_config(env.str("DATABASE_OWNER_URL", default="") or _DATABASE_URL)
DATABASE_OWNER = {name: _OWNER[name] for name in _LOGIN}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = required("REDIS_URL")
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}

# Names the ledger in its checkpoints; a verifier expects the same name for ever.
LEDGER_ORIGIN = env.str("LEDGER_ORIGIN", default="handover/ledger")

# Root key of the vault: a file of 32 random bytes, mode 0600, created on first use.
ROOT_KEY_FILE = env.str("ROOT_KEY_FILE", default=str(VAR_DIR / "root.key"))

_BUCKET = env.str("STORAGE_BUCKET", default="")
_SEALED_FILES = (
    {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": _BUCKET,
            "endpoint_url": env.str("STORAGE_ENDPOINT", default=None),
            "signature_version": "s3v4",
            "file_overwrite": False,
            "default_acl": None,
        },
    }
    if _BUCKET
    else {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(VAR_DIR / "files")}}
)
STORAGES = {
    # Only sealed bytes ever go here: uploads, staged rows, backups, packages.
    "default": _SEALED_FILES,
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = DEBUG
WHITENOISE_ALLOW_ALL_ORIGINS = False  # no other site loads our files

# Django's temporary-file handler would write an upload to disk in plaintext: imports seal it on the way
# (customers.uploads), and no other page takes files that do not fit in memory.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
IMPORT_MAX_BYTES = env.int("IMPORT_MAX_MB", default=200) * 1024 * 1024
