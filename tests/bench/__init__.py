"""`make bench`: how fast Avisa is, beside what else one could do, on the same events, mails, broker and sink.

All that is compared is alive at once and takes turns in short rounds, because the machine is not ours alone and
changes its speed within minutes; what counts is processor time, and the ratio of neighbours. Nothing here is
asserted: speed is printed, not tested.
"""
