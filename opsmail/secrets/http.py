"""HTTP for secret managers whose libraries take a session of `requests`."""

from __future__ import annotations

import requests

#: Octets of an answer that are read; a secret has some hundred.
LARGEST_ANSWER = 1024 * 1024
#: Seconds for connecting, and for each read; the question as a whole has a limit of its own.
TIMEOUT = (5.0, 10.0)


class BoundedSession(requests.Session):
    """A session that follows no redirect, takes nothing from the environment, and reads no endless answer.

    Args:
        ca: path of the PEM file with the authorities to trust; None for those that requests brings.
    """

    def __init__(self, ca: str | None = None) -> None:
        super().__init__()
        self.verify = ca or True
        # Neither proxies nor certificates nor `.netrc`.
        self.trust_env = False

    def send(self, request: requests.PreparedRequest, **options: object) -> requests.Response:
        """Send one request.

        Raises:
            requests.RequestException: no answer, one that is too large, or one that leads elsewhere.
        """
        options |= {"allow_redirects": False, "stream": True}
        options.setdefault("timeout", TIMEOUT)
        response = super().send(request, **options)  # type: ignore[arg-type]  # requests' own words for them
        with response:
            content = response.raw.read(LARGEST_ANSWER + 1, decode_content=True)
        if response.is_redirect:
            raise requests.TooManyRedirects("the answer leads elsewhere")
        if len(content) > LARGEST_ANSWER:
            raise requests.exceptions.ContentDecodingError("the answer is too large")
        response._content = content  # noqa: SLF001 - what requests itself sets when it reads an answer whole
        response._content_consumed = True  # type: ignore[attr-defined]  # noqa: SLF001 - likewise
        return response
