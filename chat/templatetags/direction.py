"""The filter for what stands before other words in one line and may turn their direction, such as a page's title."""

from django import template

from chat.words import closed

register = template.Library()
register.filter("closed", closed, is_safe=True)
