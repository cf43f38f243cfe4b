"""The page of `avisa preview --serve`, asked over a real socket and looked at with a browser."""
