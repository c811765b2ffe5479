"""A node beside the PACS: pictures come in by C-STORE, are read, and results go back into the same study.

`settings` say what is accepted, read and sent; `receiver` takes objects in, `queue` remembers them through a kill,
`reading` makes results of them, `sending` brings those back; `service` runs the four.
"""
