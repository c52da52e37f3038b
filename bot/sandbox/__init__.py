"""The sandbox: a local Slack, a local Google Cloud and a web console, to try, drill and test the bot in.

    world.py        composes it all on one port and runs the bot as a child process
    leash.py        what keeps that process from outliving a sandbox that is killed
    identities.py   the people, channels, services and ids that exist in it
    local_slack/    Web API, Socket Mode, signed HTTP delivery
    local_google/   Cloud Run Admin v2, Cloud Logging v2, the services themselves, audit log pushed over HTTP
    scenarios/      what can go wrong, as scripts
    console/        the page on `/`

It knows only the wire (HTTP, gRPC, the vendors' message types) and imports nothing else of this product, so
that whatever works here was said to the bot as the real platforms would have said it.
"""
