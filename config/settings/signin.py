from typing import Any

from config.settings.base import DEBUG, DEMO, VAR_DIR, env

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
    "accounts.backends.AgencyStaffBackend",
]
AUTH_PASSWORD_VALIDATORS: list[dict[str, Any]] = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
# Words that whoever guesses a password of this place tries first; those of the person's organizations come on top.
_CONTEXT_WORDS = [
    "handover",
    "password",
    "customer",
    "customers",
    "certificate",
    "seller",
    "buyer",
    "reviewer",
    "agency",
]
_CONTEXT_WORDS += ["admin", "administrator", "密码", "客户", "交接", "管理员"]
AUTH_PASSWORD_VALIDATORS += [
    {"NAME": "accounts.validators.ContextWordsValidator", "OPTIONS": {"words": _CONTEXT_WORDS}}
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_FORMS = {
    "login": "accounts.forms.SignInForm",
    "reset_password": "accounts.forms.AskForLinkForm",
    "reset_password_from_key": "accounts.forms.NewPasswordForm",
    "change_password": "accounts.forms.ChangePasswordForm",
    "set_password": "accounts.forms.SetPasswordForm",
    "reauthenticate": "accounts.forms.PasswordAgainForm",
}
ACCOUNT_EMAIL_NOTIFICATIONS = True

# Nobody goes anywhere without a second factor, except in the demo, where one click signs in.
SECOND_FACTOR = not DEMO
MFA_ADAPTER = "accounts.adapter.FactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_ISSUER = "Handover"
# A clock may be half a minute off; `accounts.factor_forms` refuses a code that was used for as long as it would count.
MFA_TOTP_TOLERANCE = 1
# The agency enters the addresses of people; nobody signs up with a stranger's.
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_FORMS = {
    "authenticate": "accounts.factor_forms.SignInCodeForm",
    "reauthenticate": "accounts.factor_forms.CodeAgainForm",
    "activate_totp": "accounts.factor_forms.AddAppForm",
    "add_webauthn": "accounts.factor_forms.AddPasskeyForm",
    "authenticate_webauthn": "accounts.factor_forms.SignInPasskeyForm",
    "login_webauthn": "accounts.factor_forms.PasskeyAloneForm",
    "reauthenticate_webauthn": "accounts.factor_forms.PasskeyAgainForm",
    "edit_webauthn": "accounts.factor_forms.RenamePasskeyForm",
}
# What opens values, decides or destroys wants a second factor that was used within this time.
STEP_UP_SECONDS = 60 * env.int("STEP_UP_MINUTES", default=15)
ACCOUNT_REAUTHENTICATION_TIMEOUT = STEP_UP_SECONDS
SESSION_ABSOLUTE_SECONDS = 60 * 60 * env.int("SESSION_ABSOLUTE_HOURS", default=12)
SESSION_COOKIE_AGE = SESSION_ABSOLUTE_SECONDS
SESSION_IDLE_SECONDS = 60 * env.int("SESSION_IDLE_MINUTES", default=120)

EMAIL_CONFIG = env.email_url("EMAIL_URL", default="consolemail://" if DEBUG else "smtp://localhost:25")
vars().update(EMAIL_CONFIG)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="handover@localhost")

# Text messages to customers: the dotted path of a gateway (handover.gateways.protocol), empty for none.
SMS_GATEWAY = env.str("SMS_GATEWAY", default="handover.gateways.sms.FileGateway" if DEMO else "")
SMS_FOLDER = str(VAR_DIR / "sms")
