"""What waits, retries or must survive a crash.

look.py       one look at a deployment: read → correlate → decide
casebook.py   what a look changes in the books: incidents, plans, ledger and what is to be said
proposals.py  which rollback to propose, and when to propose anew
blindness.py  what is said when nothing can be measured
events.py     what an event asks for: which revision to watch
rollback.py   from an approved plan to verified traffic
deliver.py    the outbox's sender: what is stored as "to be said" becomes a message
sweep.py      once a minute: look at every deployment, pick up what a crash left behind
engine.py     the DBOS workflows, thin: every effect is a step
"""
