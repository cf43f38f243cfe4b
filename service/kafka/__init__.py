"""Events in from Kafka, copies of dead letters out to it."""

from service.kafka.cluster import Cluster, UnreachableError
from service.kafka.copies import DeadLetterCopies
from service.kafka.document import asyncapi
from service.kafka.publishing import publish
from service.kafka.sight import FeedSight
from service.kafka.subscription import Subscription

__all__ = [
    "Cluster",
    "DeadLetterCopies",
    "FeedSight",
    "Subscription",
    "UnreachableError",
    "asyncapi",
    "publish",
]
