"""What the pages of this site are made of."""

from django import template

register = template.Library()
