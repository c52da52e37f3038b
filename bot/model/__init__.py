"""The nouns of the bot: frozen dataclasses and StrEnums, no I/O, no clock. One module per noun.

catalog    what the team wrote in reliability.yaml
event      what somebody told us: a deploy, a change of readiness or traffic
cloud_run  what Google Cloud Run says now: service, revisions, traffic split
evidence   what we read about a revision: log entries, request counts, error groups
judgement  what we make of it: verdict, diagnosis, impact
incident   what people work on: incident, rollback plan, decision, card
"""
