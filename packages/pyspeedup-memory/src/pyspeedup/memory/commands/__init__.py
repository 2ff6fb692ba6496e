"""The subcommands that memory brings to ``pyspeedup``, one a module; only the one that is run is imported.

`arguments`, `progress` and `reading` are what several of them need, `sources` what ``import`` reads.
"""
