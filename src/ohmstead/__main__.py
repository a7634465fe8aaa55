"""``python -m ohmstead`` is the command line."""

from ohmstead.cli import main

if __name__ == "__main__":
    main()
