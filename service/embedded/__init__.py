"""A broker and an inbox for trying Avisa out with nothing installed. Each logs loudly that it is embedded."""
