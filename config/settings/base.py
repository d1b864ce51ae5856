from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

env = environ.Env()


def required(key: str) -> str:
    """The value of a key without which nothing starts. Empty counts as missing: a copied .env leaves secrets empty."""
    value: str = env.str(key)
    if not value.strip():
        raise ImproperlyConfigured(f"Set the {key} environment variable: it is empty.")
    return value


BASE_DIR = Path(__file__).resolve().parents[2]
VAR_DIR = Path(env.str("VAR_DIR", default=str(BASE_DIR / "var")))

SECRET_KEY = required("SECRET_KEY")
DEBUG = env.bool("DEBUG", default=False)
DEMO = env.bool("DEMO", default=False)

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
