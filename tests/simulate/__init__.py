"""`avisa simulate`: lives agree with those of other tests, and the command does as its documents say."""
