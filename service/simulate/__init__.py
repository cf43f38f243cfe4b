"""What if: past events through the very core, on a virtual clock in memory, without store, broker or mail.

    a file or a topic > `spill` groups the events by order > `course` lives each order > `figures` > `report`

Orders are independent of each other, so they are shared out among all cores (`simulation`). Only one group of orders
is in memory at a time.
"""
