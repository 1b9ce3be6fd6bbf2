"""How the admin writes dates and times: as every other page does, and in which zone that is."""

DATE_FORMAT = "j M Y"
TIME_FORMAT = "H:i"
DATETIME_FORMAT = "j M Y, H:i e"
