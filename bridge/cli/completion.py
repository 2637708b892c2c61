"""``smsbridge completion``: the script with which a shell completes verbs and flags."""

from __future__ import annotations

import click


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print what makes a shell complete verbs and flags.

    \b
    bash   smsbridge completion bash > /etc/bash_completion.d/smsbridge
    zsh    smsbridge completion zsh > "${fpath[1]}/_smsbridge"
    fish   smsbridge completion fish > ~/.config/fish/completions/smsbridge.fish
    """
    from click.shell_completion import get_completion_class

    from bridge.cli.main import smsbridge

    script = get_completion_class(shell)
    if script is None:
        raise click.UsageError(f"{shell} is not known")
    click.echo(script(smsbridge, {}, "smsbridge", "_SMSBRIDGE_COMPLETE").source())
