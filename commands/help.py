"""`/reliability help`: every subcommand with its usage."""

from __future__ import annotations

from commands.command import Ask, Command, Desk, NoArgs, Reply


async def run(ask: Ask, args: NoArgs, desk: Desk) -> Reply:
    from commands import COMMANDS

    del ask, args
    return Reply(
        "reply/help",
        {
            "commands": [{"usage": command.usage, "summary": command.summary} for command in COMMANDS],
            "dry_run": desk.deps.dry_run,
        },
    )


COMMAND = Command("help", "What you can type here", NoArgs, run)
