"""Events in from Kafka; events of those who have no Kafka client and copies of dead letters out to it."""

from avisa.kafka.asyncapi import asyncapi
from avisa.kafka.cluster import Cluster, UnreachableError
from avisa.kafka.dead_letter_topic import DeadLetterCopies
from avisa.kafka.lag import LagTracker
from avisa.kafka.publish import publish
from avisa.kafka.publisher import Publisher
from avisa.kafka.subscription import Subscription
from avisa.kafka.topic_reader import read_to_end

__all__ = [
    "Cluster",
    "DeadLetterCopies",
    "LagTracker",
    "Publisher",
    "Subscription",
    "UnreachableError",
    "asyncapi",
    "publish",
    "read_to_end",
]
