"""SMTP as a client that sends many mails through one relay: sessions, transactions, connections, verdicts."""
