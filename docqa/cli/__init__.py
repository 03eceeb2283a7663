"""The command line: ``docqa COMMAND``; one module a group of commands.

Nothing here imports torch; a command imports what it needs when it runs.
"""

from __future__ import annotations

import gc
import logging
import os
import sys

import click

from docqa import __version__
from docqa.cli.agents import mcp, quote
from docqa.cli.asking import ask, read, search
from docqa.cli.configuration import find_file, load_defaults, name_variables
from docqa.cli.evaluating import evaluate
from docqa.cli.explaining import explain
from docqa.cli.indexing import forget, index, reshard, status, verify
from docqa.cli.serving import serve
from docqa.cli.show import error
from docqa.cli.showing import highlight, open_
from docqa.cli.training import average, train, tune
from docqa.cli.watching import watch
from docqa.errors import DocQAError, IngestError, StorageError

_log = logging.getLogger(__name__)
FAILED, USAGE, NO_INDEX, INTERRUPTED = 1, 2, 3, 130


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 1 done but something failed, 2 wrong usage, "
    "3 the index is missing or unusable.",
)
@click.option(
    "--verbose",
    "-v",
    is_flag=True,
    help="Say on standard error what is done, and how long it takes.",
)
@click.version_option(__version__, prog_name="docqa")
@click.pass_context
def docqa(context: click.Context, verbose: bool) -> None:
    """Answers questions about long documents in their own words, and says where they stand.

    \b
    Example:
      docqa index ./docs
      docqa ask "Who may sign?"
    """
    if verbose:
        logging.basicConfig(
            stream=sys.stderr, format="%(asctime)s.%(msecs)03d %(message)s", datefmt="%H:%M:%S"
        )
        logging.getLogger("docqa").setLevel(logging.DEBUG)
    file = find_file()
    if file is not None:
        context.default_map = load_defaults(docqa, file)
        _log.info("settings from %s", file)


for command in (
    index,
    ask,
    read,
    explain,
    search,
    open_,
    highlight,
    serve,
    forget,
    reshard,
    watch,
    status,
    verify,
    evaluate,
    train,
    average,
    tune,
    quote,
    mcp,
):
    docqa.add_command(command)
name_variables(docqa)


def main() -> None:
    """Run a command and leave with its exit code."""
    # Importing torch makes some hundred thousand objects that stay; looking through them for
    # garbage again and again, and taking them down one by one at the end, would be a third of a
    # short command's time. All that was written is closed by now.
    gc.set_threshold(200_000, 50, 100)
    # Threads of torch and faiss that wait for each other sleep instead of spinning: see
    # docs/design/start.md. It is read when torch is imported, by the command's own module.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    code = run(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def run(arguments: list[str]) -> int:
    """Run a command and return its exit code."""
    try:
        code = docqa.main(arguments, prog_name="docqa", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except click.exceptions.Abort:
        error("stopped; what was finished is kept")
        return INTERRUPTED
    except click.ClickException as problem:
        problem.show()
        return problem.exit_code
    except StorageError as problem:
        error(str(problem))
        return NO_INDEX
    except IngestError as problem:
        error(str(problem))
        return FAILED
    except (DocQAError, ValueError) as problem:
        error(str(problem))
        return USAGE
    except BrokenPipeError:
        sys.stderr.close()
        return FAILED
