"""Set up a private ComfyUI with this pack in it, and run it: demo, test or serve.

Only this file has to be readable by an old Python, so that its user gets a sentence
instead of a syntax error: keep it free of newer syntax and import the rest late.
"""

import sys

OLDEST_PYTHON = (3, 11)


def wrong_python(version):
    """Return the sentence for a Python that is too old, or an empty string when it will do."""
    if tuple(version[:2]) >= OLDEST_PYTHON:
        return ""
    return (
        "run.py needs Python %d.%d or newer, but this is Python %d.%d; "
        "start it with a newer one, for example: python3.11 run.py demo"
        % (OLDEST_PYTHON + tuple(version[:2]))
    )


def main():
    sentence = wrong_python(sys.version_info)
    if sentence:
        sys.stderr.write(sentence + "\n")
        return 1
    from launcher.cli import main as launcher_main

    return launcher_main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
