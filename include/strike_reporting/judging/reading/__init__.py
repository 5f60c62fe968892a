"""Reading: a file's bytes to tables of text, in a process of its own that may die of them.

Nothing is imported here: the worker chooses first what its libraries may load.
"""
