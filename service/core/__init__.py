"""The pure core: it is given what is known and the moment, and answers with a decision. It can not fail."""
