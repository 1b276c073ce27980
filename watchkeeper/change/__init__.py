"""The functions of commands, in a file for each command or close family; `watchkeeper.command` lists them.

May import everything except the API and the pages.
"""
