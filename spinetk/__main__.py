"""``spinetk`` and ``python -m spinetk``."""

import signal


def main() -> None:
    """Run the command line; Ctrl+C while the libraries are read ends it without a traceback."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from spinetk.cli import main as run

    run()


if __name__ == "__main__":  # and not in a process that prepares data
    main()
