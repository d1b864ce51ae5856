"""The security posture: what is checked about the platform itself, one line each, and what to do about it.

It lives in this room because it looks into all of them, and because what it finds is what an incident starts from.
"""
