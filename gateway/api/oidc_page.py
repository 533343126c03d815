"""The pages that the API itself shows at the end of a visit to a provider: why it failed, or that one may go on."""

from html import escape

from starlette.responses import HTMLResponse, RedirectResponse

from kernel.errors import SightlineError

_PAGE = """<!doctype html>
<html lang="en-GB">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<meta name="color-scheme" content="dark">
<meta name="theme-color" content="#1a1e22">
<title>Sightline · sign-in</title>
<link rel="icon" href="/static/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/static/css/base.css">
<link rel="stylesheet" href="/static/css/shell.css">
</head>
<body>
<main class="gate" data-gate="{gate}">
<div class="gate-mark" aria-hidden="true"></div>
<section class="gate-card">
<p class="wordmark">Sightline</p>
<h1>{heading}</h1>
{body}
</section>
<p class="gate-foot">Views, steering, playback and exports are written to an audit record under your name.</p>
</main>
</body>
</html>
"""


_REFUSED = """<p class="said attention" role="alert"><strong>{title}</strong> {cure}</p>
<p class="hint">If you ask for help, say: <code>{code}</code></p>
<a class="primary" href="/" autofocus>Back to Sightline</a>"""
_CONFIRMED = """<p class="said" role="status">Close this window. What you were doing goes on where you left it.</p>"""


def refused(error: SightlineError) -> HTMLResponse:
    """Return the page that says what went wrong; it works without scripts, and shows nothing that a visitor brought."""
    body = _REFUSED.format(title=escape(error.message), cure=escape(error.cure), code=escape(error.code))
    shown = _PAGE.format(gate="refused", heading="That sign-in did not work", body=body)
    headers = {"Cache-Control": "no-store"}
    retry_after_s = getattr(error, "retry_after_s", None)
    if retry_after_s is not None:
        headers["Retry-After"] = str(retry_after_s)
    return HTMLResponse(shown, status_code=getattr(error, "status", 500), headers=headers)


def confirmed() -> HTMLResponse:
    """Return the page at the end of a window that was opened to confirm."""
    shown = _PAGE.format(gate="confirmed", heading="Thank you, that is you", body=_CONFIRMED)
    return HTMLResponse(shown, headers={"Cache-Control": "no-store"})


def sent_back(path: str) -> RedirectResponse:
    """Return the way to a page of the console, out of the address with the code in it."""
    return RedirectResponse(path, status_code=303, headers={"Cache-Control": "no-store"})
