"""Topics that are there already: from the shape of somebody else's record to the fields of an event.

A feed is a pure value, compiled with the plan: it opens the envelope, asks whether the record is news, and maps.
"""

from avisa.feeds.feed import Feed

__all__ = ["Feed"]
