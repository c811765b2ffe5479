"""One-stage landmark network: a map of vertebra centres, then a small network that refines each body's points."""
