"""How packages reach buyers, and for how long they lie in storage."""

from ipaddress import ip_network

from config.settings.base import env

# A package that nobody took any more is destroyed after so many days, unless the plan says otherwise.
PACKAGE_DAYS = env.int("PACKAGE_DAYS", default=30)
# A ticket opens for so long; a download that has begun may be continued until then.
DOWNLOAD_TICKET_MINUTES = env.int("DOWNLOAD_TICKET_MINUTES", default=30)
# The platform sends to public addresses only. Networks of one's own that it may reach too, for example 10.20.0.0/16:
# there a bucket may also be reached without TLS.
DELIVERY_NETWORKS = [ip_network(one) for one in env.list("DELIVERY_NETWORKS", default=[])]
