"""How packages reach buyers, for how long they lie in storage, and for how long customers' links lead to their page."""

from ipaddress import ip_network

from django.core.exceptions import ImproperlyConfigured

from config.settings.base import env

# A package that nobody took any more is destroyed after so many days, unless the plan says otherwise.
PACKAGE_DAYS = env.int("PACKAGE_DAYS", default=30)
# A ticket opens for so long; a download that has begun may be continued until then.
DOWNLOAD_TICKET_MINUTES = env.int("DOWNLOAD_TICKET_MINUTES", default=30)
# The platform sends to public addresses only. Networks of one's own that it may reach too, for example 10.20.0.0/16:
# there a bucket may also be reached without TLS.
DELIVERY_NETWORKS = [ip_network(one) for one in env.list("DELIVERY_NETWORKS", default=[])]
# The link in a customer's notice leads to their page for so many days after the last day to answer: until then requests
# stay possible.
NOTICE_LINK_DAYS = env.int("NOTICE_LINK_DAYS", default=30)
if NOTICE_LINK_DAYS < 0:
    raise ImproperlyConfigured("NOTICE_LINK_DAYS counts the days after the last day to answer: 0, 1, 2 ...")
