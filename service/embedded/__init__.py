"""The defaults that need nothing installed. Each says loudly that it is the embedded one."""
