"""``spinetk`` and ``python -m spinetk``."""

import signal


def main() -> None:
    """Run the command line; Ctrl+C while the libraries are read ends it without a traceback."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from spinetk.cli import main as run
    from spinetk.signals import is_leaving, without_farewell

    try:
        run()
    except SystemExit as stop:
        if is_leaving(stop):
            without_farewell(stop)
        raise


if __name__ == "__main__":  # and not in a process that prepares data
    main()
