DATE_FORMAT = SHORT_DATE_FORMAT = "Y年n月j日"
TIME_FORMAT = "H:i"
DATETIME_FORMAT = SHORT_DATETIME_FORMAT = "Y年n月j日 H:i"
# Django's own format for Chinese groups by nothing: 18642 instead of 18,642.
THOUSAND_SEPARATOR = ","
NUMBER_GROUPING = 3
