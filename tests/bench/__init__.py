"""`make bench`: how fast Avisa is, beside what else one could do, on the same events, mails, broker and sink.

Every number is taken several times in rounds that alternate between the variants, because the machine is not ours
alone; what counts are the ratios within one run. Nothing here is asserted: speed is printed, not tested.
"""
