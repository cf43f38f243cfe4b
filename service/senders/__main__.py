"""A sender process; Avisa starts it."""

from avisa.senders.sender import main

if __name__ == "__main__":
    main()
