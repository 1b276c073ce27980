"""The names of documents in the control store: a prefix that says what the document is, then a model, process or session."""

from __future__ import annotations

OWNER = "owner:"  # the cursor of a model's owner, and its epoch
REPORT = "report:"  # what the owner of a model has reported last
REBUILD = "rebuild:"  # the rebuild of a model that was requested last
PROCESS = "process:"  # the heartbeat of a process
POLICY = "policy"  # what the policy remembers besides groups
TRUST = "trust:"  # the states of trust of a model that were told last
TRUST_TOPIC = "trust-topic:"  # those that were written to the topic of trust last
OVERDUE = "training-overdue:"  # of which training of a model people were told last that it is overdue
SYSTEM = "system"  # the incident of Watchkeeper itself that is open
LOGOUT = "logout:"  # a session that was ended
SIGNING = "signing"  # the key of signed addresses
