from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):
    """Nobody signs up by themselves: the agency adds people."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False
