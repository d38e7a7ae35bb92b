"""Flix Cloud's calls: where the key goes, refusals, and what answers mean. PURE.

Facts: flixcloud.md 1 to 5 and 9.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from attrs import evolve, field, frozen

from cloudreel.core import codec, redact
from cloudreel.core.call import Call, Credential, Request, Response, reveal
from cloudreel.core.failures import Failure, category_of, retry_after
from cloudreel.errors import DecodeError, InvalidRequestError, SigningError
from cloudreel.flixcloud.documents import elements_of
from cloudreel.flixcloud.models import JobInfo, JobSpec, JobStatus, Recipe, Task
from cloudreel.flixcloud.values import boolean, integer, moment, required, text
from cloudreel.flixcloud.xml import Element, read_xml, write_xml

BASE_URL: Final = "https://www.flixcloud.com"

JOBS: Final = "/jobs"
RECIPES: Final = "/recipes"
USER: Final = "cloudreel"  # any name will do; the key must not be it (2)

_HEADERS: Final[Mapping[str, str]] = {"Accept": "text/xml"}
_REASONS: Final = ("error", "description")
_LONGEST_REASON: Final = 500  # characters of one reason for a refusal
_MOST_REASONS: Final = 50


# -- the key ---------------------------------------------------------------------------------------------


@frozen(repr=False)
class JobRequest(Request):
    """The creation of a job; its body is made with the key."""

    elements: tuple[Element, ...] = ()


@frozen
class KeySigner:
    """Puts the key where each call wants it; a `cloudreel.core.call.Signer`."""

    api_key: Credential = field(repr=False)

    def __call__(self, request: Request, now: float) -> Request:
        """Return the request with the key in its document, query or login, which know no time (2).

        Raises:
            SigningError: the key cannot stand in a document.
        """
        key = reveal(self.api_key)
        if isinstance(request, JobRequest):
            try:
                document = Element("api-request", children=(Element("api-key", key), *request.elements))
                return evolve(request, content=write_xml(document))
            except ValueError as error:
                raise SigningError(f"The job cannot be written as XML: {error}") from None
        if request.path == RECIPES:
            return evolve(request, params={**request.params, "api_key": key})
        return evolve(request, headers={**request.headers, "Authorization": f"Basic {_login(key)}"})

    def masked(self, value: str) -> str:
        """Return a text of the service's without the key, which it may quote."""
        key = reveal(self.api_key)
        secrets = (key, quote(key, safe=""), _login(key)) if len(key) >= redact.SHORTEST_QUERIED else ()
        for secret in secrets:
            value = value.replace(secret, redact.MASK)
        return value


def _login(key: str) -> str:
    return b64encode(f"{USER}:{key}".encode()).decode("ascii")


# -- refusals --------------------------------------------------------------------------------------------


def read_failure(response: Response, signer: KeySigner) -> Failure | None:
    """Return the refusal that an answer is, if it is one (4).

    The service refuses a job that is well-formed with status 200 and ``errors`` in the body.

    Args:
        response: the answer; whatever is not 2xx is a refusal.
        signer: knows the key, which the service may quote.
    """
    status = response.status_code
    reasons = "; ".join(reasons_of(response, signer))[:_LONGEST_REASON]
    if status < 300:
        document = _document(response)
        refused = document is not None and document.name == "errors"
        return Failure(InvalidRequestError, reasons) if refused else None
    if status < 400:
        return Failure(InvalidRequestError, "it redirects, and calls follow no redirect; check base_url")
    unsaid = {
        401: "the API key is not accepted",
        404: "there is no such job, or no Flix Cloud at base_url",
    }
    return Failure(category_of(status), reasons or unsaid.get(status, ""), retry_after=retry_after(response))


def reasons_of(response: Response, signer: KeySigner) -> list[str]:
    """Return the reasons that a refusal gives, one text each: XML, or a line such as ``Access denied.``"""
    root = _document(response)
    if root is not None:
        texts = [element.text for element in (root, *root.children) if element.name in _REASONS]
    else:
        texts = [] if "<" in response.text else [response.text]
    lines = [redact.line(signer.masked(text))[:_LONGEST_REASON] for text in texts[:_MOST_REASONS]]
    return [line for line in lines if line]


def _document(response: Response) -> Element | None:
    """Return the root of the body; None where it is no XML, as anything may stand behind a status (4)."""
    try:
        return read_xml(response.body)
    except DecodeError:
        return None


# -- calls -----------------------------------------------------------------------------------------------


def create_job(job: JobSpec) -> Call[JobInfo]:
    """Return the call that has a job done; one that may have arrived is not repeated (3, 4)."""
    headers = {**_HEADERS, "Content-Type": "application/xml"}
    request = JobRequest("POST", JOBS, headers=headers, elements=elements_of(job))
    return Call(request, _job_info, repeatable=False)


def job_status(id: int | str) -> Call[JobStatus]:
    """Return the call that asks what has become of a job (5)."""
    path = f"{JOBS}/{quote(str(id), safe='')}/status"
    return Call(Request("GET", path, headers=_HEADERS), _job_status)


def list_recipes() -> Call[list[Recipe]]:
    """Return the call that asks for the account's recipes (1)."""
    return Call(Request("GET", RECIPES, headers=_HEADERS), _recipes)


def _job_info(response: Response) -> JobInfo:
    if response.status_code != 201:
        raise DecodeError("201 says that a job is accepted, errors that it is not; this is neither")
    job = _root(response, "job")
    return JobInfo(required(integer(job, "id"), job, "id"), moment(job, "initialized-job-at"))


def _job_status(response: Response) -> JobStatus:
    job = _root(response, "job")
    return JobStatus(
        id=required(integer(job, "id"), job, "id"),
        task_state=required(text(job, "task-state"), job, "task-state"),
        tasks={
            child.name.removesuffix("-task").replace("-", "_"): _task(child)
            for child in job.children
            if child.name.endswith("-task")
        },
    )


def _task(task: Element) -> Task:
    """Read a step, which has two ``state`` elements: a word, then a percentage, marked as a float (5)."""
    states = task.all("state")
    typed = next((state for state in states if "type" in state.attributes), None)
    percentage = states[1] if typed is None and len(states) > 1 else typed
    word = next((state for state in states if state is not percentage), None)
    return Task(
        id=integer(task, "task_id"),
        state=None if word is None else word.text.strip().lower() or None,
        percent=None if percentage is None else _percentage(percentage),
    )


def _percentage(state: Element) -> float | None:
    try:
        return codec.read_float(state.text.strip())
    except ValueError:
        raise DecodeError("The percentage of a task is no number") from None


def _recipes(response: Response) -> list[Recipe]:
    return [
        Recipe(
            name=required(text(recipe, "name"), recipe, "name"),
            id=integer(recipe, "id"),
            active=boolean(recipe, "active"),
        )
        for recipe in _root(response, "recipes").all("recipe")
    ]


def _root(response: Response, name: str) -> Element:
    root = read_xml(response.body)
    if root.name != name:
        raise DecodeError(f"A <{name}> was expected, but <{root.name[:40]}> came")
    return root
