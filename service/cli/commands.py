"""The list of commands. A command's module is imported when the command is run or its own help is asked for, so that
`avisa --help` is quick while each module imports at its top what it needs.

The module has the command's function under the command's name; where a command has commands of its own, it has
their `Typer`.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

# name: the module, and the help
COMMANDS = {
    "run": ("run", "Run the service until SIGTERM or SIGINT."),
    "demo": ("demo", "Play sample orders and show what their customers are told, and why."),
    "migrate": ("migrate", "Bring the store's schema up to date."),
    "config": ("config", "Show every setting, where it comes from, and no secret."),
    "init": ("init", "Copy the shipped plan and messages to a folder, to edit there."),
    "check": ("check", "Check plan and messages."),
    "preview": (
        "preview",
        "Write a message as a customer would get it: mail.eml, mail.html, mail.txt, short.txt, and with Chromium"
        " pictures of it on a desktop, on a phone and in the dark.",
    ),
    "send-test": (
        "send_test",
        "Send a message through the mail relay, marked as a test. No order is told by it, and nothing is kept of it.",
    ),
    "timeline": (
        "timeline",
        "Show what happened to one order and why; or one of its mails again, as it was sent.",
    ),
    "why": ("why", "Show what was told about one order, what was not and why, and what comes next."),
    "explain": ("explain", "Show what the plan would do with an event now, guard by guard."),
    "feed": ("feed", "Try a feed, the plan's mapping of a topic, on records of that topic."),
    "simulate": ("simulate", "Show what a plan would have done with past events. Nothing is sent."),
    "counts": ("counts", "Count all events and notifications by what became of them."),
    "note": ("note", "Note something about an order, for the owner who is asked next. Customers never see it."),
    "snooze": ("snooze", "Hold reminders, warnings and questions back until a moment. News still goes out."),
    "snoozes": ("snooze", "List the snoozes that hold; end one before its time."),
    "pause": ("pause", "Stop all sending. Events are still taken in and decided."),
    "resume": ("pause", "Start sending again."),
    "publish": ("publish", "Publish events to the topic, keyed by order_id."),
    "templates": ("templates", "Plan and messages: who put what in force, and when; push, undo."),
    "outbox": ("outbox", "Notifications: where each is; send one again, or drop it."),
    "promises": ("promises", "List the promised dates: which stand, are at risk, were kept or broken."),
    "dead-letters": ("dead_letters", "Records that could not be read."),
}


class Commands(TyperGroup):
    """All commands of `avisa`, none of them imported yet."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name, (_, text) in COMMANDS.items():
            self.add_command(_Lazy(name, help=text))


def load(name: str) -> Any:
    """The command, or group of commands, with its options; its module is imported."""
    module, text = COMMANDS[name]
    found = getattr(import_module(f"avisa.cli.{module}"), name.replace("-", "_"))
    if not isinstance(found, typer.Typer):
        alone = typer.Typer(add_completion=False, rich_markup_mode=None)
        alone.command()(found)
        found = alone
    command = get_command(found)
    command.name, command.help = name, text
    return command


class _Lazy(TyperCommand):
    """Stands in the list with its name and help, and gives way to the command itself once that is called."""

    def make_context(self, *arguments: Any, **named: Any) -> Any:  # a context of click's, which typer keeps to itself
        assert self.name is not None
        return load(self.name).make_context(*arguments, **named)
