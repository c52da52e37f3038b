"""What people can type and press. A new subcommand or button is one file and one line here."""

from commands import acknowledge, approve_rollback, errors, reject_rollback, status
from commands import help as help_
from commands.command import Action, Command

COMMANDS: tuple[Command, ...] = (status.COMMAND, errors.COMMAND, help_.COMMAND)
ACTIONS: tuple[Action, ...] = (approve_rollback.ACTION, reject_rollback.ACTION, acknowledge.ACTION)
