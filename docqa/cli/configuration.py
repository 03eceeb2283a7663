"""Settings that stand in ``docqa.toml`` and in the environment, in place of options.

An option comes before a variable, a variable before the file, the file before the default. In the
file the table ``[all]`` holds what counts for every command that has such an option, a table with a
command's name what counts for that command alone; a setting has the option's name. A variable is
called ``DOCQA_`` and the option's name (``DOCQA_TOP_K``), or for one command ``DOCQA_ASK_TOP_K``.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

FILE = "docqa.toml"
FILE_VARIABLE = "DOCQA_CONFIG"
ALL = "all"


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting that stands somewhere else than on the command line.

    Attributes:
        name: the table and the option, as in ``ask.top-k``.
        value: as it stands there.
        source: the file's path, or the variable.
    """

    name: str
    value: Any
    source: str


def name_variables(group: click.Group) -> None:
    """Have all options of a group's commands read their environment variables."""
    for path, command in _commands(group):
        for option in _options(command).values():
            name = _variable(_name(option))
            option.envvar = [_variable(".".join(path), _name(option)), name]


def find_file() -> Path | None:
    """Return the file of settings: ``$DOCQA_CONFIG``, or the next one from here upwards."""
    if named := os.environ.get(FILE_VARIABLE):
        return Path(named).absolute()
    here = Path.cwd()
    found = (folder / FILE for folder in (here, *here.parents))
    return next((file for file in found if file.is_file()), None)


def load_defaults(group: click.Group, file: Path) -> dict[str, Any]:
    """Return a file's settings as Click takes defaults: by command, then by parameter.

    Relative paths in the file start at the file's folder.

    Raises:
        click.UsageError: the file can't be read, or has a setting that is not there.
    """
    tables = _read(file)
    defaults: dict[str, Any] = {}
    known: set[str] = set()
    for path, command in _commands(group):
        options = _options(command)
        known |= options.keys()
        own = _table_of(tables, path, file)
        for name in own:
            if name not in options:
                raise _unknown(file, ".".join(path), name, options)
        common = _table_of(tables, (ALL,), file)
        values = {name: value for name, value in common.items() if name in options} | own
        into = defaults
        for part in path:
            into = into.setdefault(part, {})
        for name, value in values.items():
            into[options[name].name or ""] = _checked(options[name], value, file)
    for name in _table_of(tables, (ALL,), file):
        if name not in known:
            raise _unknown(file, ALL, name, known)
    _refuse_unknown_tables(group, tables, file)
    return defaults


def settings_in_force(group: click.Group) -> list[Setting]:
    """Return the settings that stand in the file and in the environment, sorted by name.

    Of those with one name only the one that counts.
    """
    found: dict[str, Setting] = {}
    file = find_file()
    if file is not None:
        for table, values in _flat(_read(file)):
            for name, value in values.items():
                full = f"{table}.{name}"
                found[full] = Setting(full, value, str(file))
    for path, command in _commands(group):
        for name in _options(command):
            for table in (ALL, ".".join(path)):
                variable = _variable(*([] if table == ALL else [table]), name)
                if value := os.environ.get(variable):
                    found[f"{table}.{name}"] = Setting(f"{table}.{name}", value, variable)
    return sorted(found.values(), key=lambda setting: setting.name)


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise click.UsageError(f"{file} can't be read: {error.strerror or error}") from error
    except ValueError as error:
        raise click.UsageError(f"{file} is not TOML: {error}") from error


def _table_of(tables: dict[str, Any], path: tuple[str, ...], file: Path) -> dict[str, Any]:
    """Return the settings in a table; those of the tables in it left out."""
    here: Any = tables
    for part in path:
        here = here.get(part, {})
        if not isinstance(here, dict):
            raise click.UsageError(
                f"{file}: {part} is a table, not a setting; what counts for all commands stands "
                f"in [{ALL}]"
            )
    return {name: value for name, value in here.items() if not isinstance(value, dict)}


def _flat(tables: dict[str, Any], above: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    for name, values in tables.items():
        if isinstance(values, dict):
            full = f"{above}{name}"
            yield full, {key: one for key, one in values.items() if not isinstance(one, dict)}
            yield from _flat(values, f"{full}.")


def _refuse_unknown_tables(group: click.Group, tables: dict[str, Any], file: Path) -> None:
    known = {".".join(path) for path, _ in _commands(group)}
    groups = {name.rpartition(".")[0] for name in known} - {""}
    for name, value in tables.items():
        if not isinstance(value, dict):
            raise click.UsageError(
                f'{file}: the setting "{name}" stands in no table; '
                f"what counts for all commands stands in [{ALL}]"
            )
    for name, values in _flat(tables):
        if name in known or name == ALL or (name in groups and not values):
            continue
        close = _closest(name, [*known, ALL])
        hint = f"; did you mean [{close}]?" if close else ""
        raise click.UsageError(f"{file}: there is no command for the table [{name}]{hint}")


def _unknown(file: Path, table: str, name: str, known: Any) -> click.UsageError:
    close = _closest(name, list(known))
    hint = f'; did you mean "{close}"?' if close else ""
    return click.UsageError(f'{file}: [{table}] has no setting "{name}"{hint}')


def _closest(name: str, known: list[str]) -> str | None:
    from difflib import get_close_matches  # for errors only

    return next(iter(get_close_matches(name, known, 1)), None)


def _checked(option: click.Option, value: Any, file: Path) -> Any:
    """Return a setting's value as its option takes it."""
    try:
        if option.is_flag:
            if not isinstance(value, bool):
                raise click.BadParameter("it must be true or false")
            if isinstance(option.type, click.types.BoolParamType):
                return value
            return option.flag_value if value else None
        if option.multiple:
            values = value if isinstance(value, list) else [value]
            value = [entry for one in values for entry in _from_folder(option, one, file.parent)]
        else:
            [value] = _from_folder(option, value, file.parent)
        option.type_cast_value(click.Context(click.Command("docqa")), value)
    except click.BadParameter as error:
        raise click.UsageError(f'{file}: the setting "{_name(option)}": {error.message}') from error
    return value


def _from_folder(option: click.Option, value: Any, folder: Path) -> list[Any]:
    """Return a value with a relative path in it taken from a folder."""
    if not isinstance(value, str):
        return [value]
    if option.name == "places":
        from docqa.index.within import absolute_entries

        return list(absolute_entries([value], folder))
    is_path = isinstance(option.type, click.Path) or option.name == "folder"
    is_model = option.name in ("reader", "embedder") and (folder / value).is_dir()
    return [str(folder / Path(value).expanduser())] if is_path or is_model else [value]


def _commands(
    group: click.Group, above: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, command in group.commands.items():
        path = (*above, name)
        if isinstance(command, click.Group):
            yield from _commands(command, path)
        else:
            yield path, command


def _options(command: click.Command) -> dict[str, click.Option]:
    """Return a command's options by their names, as the file has them."""
    options = [one for one in command.params if isinstance(one, click.Option)]
    return {_name(option): option for option in options}


def _name(option: click.Option) -> str:
    """Return an option's long name without its dashes."""
    return max(option.opts, key=len).lstrip("-")


def _variable(*parts: str) -> str:
    return "_".join(["DOCQA", *parts]).upper().replace("-", "_").replace(".", "_")
