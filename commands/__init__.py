"""What people can type and press. A new subcommand or button is one file and one line here."""

from commands import acknowledge, approve_rollback, errors, reject_rollback, rerun, rerun_suite, status
from commands import help as help_
from commands.command import Action, Command

COMMANDS: tuple[Command, ...] = (status.COMMAND, errors.COMMAND, rerun.COMMAND, help_.COMMAND)
ACTIONS: tuple[Action, ...] = (approve_rollback.ACTION, reject_rollback.ACTION, acknowledge.ACTION, rerun_suite.ACTION)
