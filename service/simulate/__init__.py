"""What would a plan have done? Past events run through the same core as live ones, on a virtual clock in memory,
without store, broker or mail.

    a file or a topic > `spill` groups the events by order > `course` lives each order > `figures` > `report`

Orders do not depend on each other, so all processor cores share the work (`simulation`). Each process has one group
of orders, 1 in 256 of all, in memory at a time.
"""
