"""The subcommands that memory brings to ``pyspeedup``, one a module; only the one that is run is imported.

`access`, `arguments`, `key_file`, `progress`, `reading` and `whole_pages` are what several of them need,
`sources` what ``import`` reads.
"""
