"""The one Lightning glue: fit, resume, checkpoints and logs for every network of the toolkit."""
