"""Many inputs, read one by one on one machine or many, so that nothing done is ever lost or done twice.

`sources` finds the inputs; `task` does one of them in whatever process; `pools` are the processes, `cluster` those of
Dask; `journal` remembers what is done; `run` puts them together, and `each` does without a journal. What is done to an
input is the business of the room that asks.
"""
