"""Which edition of the sums this version makes."""

EDITION = 2
"""The edition of the sums of input and performance panes: one more whenever they get sums that earlier versions did not make.

A contract keeps the edition of its reference's (`Contract.summary`). Those of an earlier edition lack sums, until the same file is given again.
"""
