"""What came in from a source in storage elsewhere, noted so that later phases need not fetch the source again."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from lib.files import replacing
from lib.storage.address import checked, is_url
from lib.video import sources
from lib.video.extract.finding import Source
from lib.video.extract.manifest import Manifest, as_text
from lib.video.extract.options import ExtractOptions
from lib.video.workspace import Workspace


class Brought(BaseModel):
    """What a source held when it came in last."""

    state: str = Field(description="Identity of all that it held; empty when not all of it came in.")
    projects: list[str] = Field(description="Names of the projects that it became, in its order.")
    files: dict[str, str] = Field(description="Name of each archive, folder or video of it, by its subject.")


_NOTES: TypeAdapter[dict[str, Brought]] = TypeAdapter(dict[str, Brought])


def projects_from(source: str, workspace: Workspace, options: ExtractOptions) -> list[Path]:
    """Return the projects that a source, a path or a URL, became; those of a URL as they were noted."""
    if not is_url(source):
        return sources.projects_of(Path(source), workspace.projects, options)
    noted = brought(source, workspace)
    there = {project.name: project for project in workspace.projects.iterdir()} if workspace.projects.is_dir() else {}
    found = [there[name] for name in (noted.projects if noted else ()) if name in there]
    return [project for project in found if Manifest.read(project) is not None]


def brought(source: str, workspace: Workspace) -> Brought | None:
    """Return what was noted of the source at a URL; None when nothing came from it."""
    return _notes(workspace).get(checked(source))


def note(source: str, workspace: Workspace, found: Sequence[Source], state: str) -> None:
    """Note what came in from the source at a URL."""
    projects = [_project_of(each, workspace) for each in found]
    names = list(dict.fromkeys(project.name for project in projects if project is not None))
    files = {each.name: as_text(each.path.name) for each in found}
    notes = {**_notes(workspace), checked(source): Brought(state=state, projects=names, files=files)}
    if notes != _notes(workspace):
        with replacing(_file(workspace)) as temporary:
            temporary.write_bytes(_NOTES.dump_json(notes, indent=1))


def _project_of(source: Source, workspace: Workspace) -> Path | None:
    if source.path.exists():
        return sources.project_of(source, workspace.projects)
    # It was deleted on request once it had come in.
    manifests = {project: Manifest.read(project) for project in workspace.projects.iterdir()}
    return next((p for p, manifest in manifests.items() if manifest and manifest.source == source.origin), None)


def _notes(workspace: Workspace) -> Mapping[str, Brought]:
    try:
        return _NOTES.validate_json(_file(workspace).read_bytes())
    except (OSError, ValidationError):
        return {}


def _file(workspace: Workspace) -> Path:
    return workspace.root / ".regie" / "sources.json"
