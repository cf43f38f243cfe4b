"""What is answered over HTTP, asked over a real socket."""
