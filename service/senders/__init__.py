"""Processes beside this one that write mails and speak SMTP, so that a second core has work.

This process keeps the leases, stores an attempt as begun before it hands its mail over, and settles what is answered.
A sender process keeps nothing: it is started with the relay, gets the renderer of a catalog with the first mail that
needs it, and returns receipts. When it dies, each mail that it had not answered is in doubt.
"""
