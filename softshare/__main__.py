"""``python -m softshare``: the command, where its script is not on the path."""

from softshare.cli import main

if __name__ == "__main__":
    main()
