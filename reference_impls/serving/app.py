"""The endpoint as an ASGI application."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from reference_impls.core.registry import MethodInfo
from reference_impls.core.stages import Method, Router
from reference_impls.recorded import files
from reference_impls.recording.asking import key_value
from reference_impls.recording.config import ConfigError, load_as
from reference_impls.recording.prices import price_of
from reference_impls.running import catalog
from reference_impls.serving import fitted, metrics, saved
from reference_impls.serving.bandits import BANDITS
from reference_impls.serving.chat import ATLAS, Chat
from reference_impls.serving.combined import Combined
from reference_impls.serving.policy import One, Policy, Routed
from reference_impls.serving.redis_state import RedisState
from reference_impls.serving.settings import Served, Settings
from reference_impls.serving.state import State, StateError
from reference_impls.serving.upstream import Builtin, Server, Upstream
from reference_impls.serving.wire import GoneError, RequestError, answer, body_of, feedback

#: Threads of the built-in models: each keeps one core busy.
_THREADS = 2
#: Bytes of a feedback.
_FEEDBACK = 1 << 16


def create(settings: Settings) -> Starlette:
    """The application.

    Raises:
        ValueError, ModuleNotFoundError: something is wrong with the settings, or missing: one line.
    """
    own = key_value(settings.key_env, "--key-env") if settings.key_env else ""
    threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="atlas-model")
    models, limit = _models(settings, threads)
    if ATLAS in models:
        raise ConfigError(
            f"{settings.config}: models: {ATLAS!r} is the endpoint's own name (call the model otherwise)"
        )
    state = State(settings.state) if isinstance(settings.state, Path) else RedisState(settings.state)
    try:
        policy, kind = _policy(settings, models, state, threads)
    except BaseException:
        state.close()
        raise
    chat = Chat(
        models, policy, state, deadline=settings.deadline, most=settings.max_body, keep_prompts=settings.keep_prompts,
        kind=kind, max_tokens=limit,
    )  # fmt: skip

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        for model in models.values():
            await model.close()
        state.close()
        threads.shutdown()

    started = int(time.time())

    async def listed(_request: Request) -> Response:
        names = [*([ATLAS] if policy else []), *models]
        cards = [{"id": n, "object": "model", "created": started, "owned_by": "llm-ensemble-atlas"} for n in names]
        return JSONResponse({"object": "list", "data": cards})

    async def health(_request: Request) -> Response:
        return JSONResponse({"status": "ok", "models": len(models), "policy": policy.signature if policy else None})

    async def counters(_request: Request) -> Response:
        told = metrics.text(
            await state.counts() | {"atlas_requests_running": chat.running, metrics.PROCESSOR: time.process_time()}
        )
        return PlainTextResponse(told, media_type="text/plain; version=0.0.4")

    routes = [
        Route("/v1/chat/completions", chat, methods=["POST"]),
        Route("/v1/models", listed),
        Route("/v1/feedback", _Feedback(state), methods=["POST"]),
        Route("/health", health),
        Route("/metrics", counters),
    ]
    app = Starlette(routes=routes, lifespan=lifespan)
    app.add_middleware(Guard, key=own)
    app.state.close = state.close
    return app


def _models(settings: Settings, threads: Executor) -> tuple[dict[str, Upstream], int]:
    """The models by name, and the most tokens that one may write where nobody says."""
    if settings.config is None:
        from reference_impls.backends.builtin import BuiltinModel  # noqa: PLC0415 (ONNX Runtime)

        made = catalog.pool(settings.pool)
        return {model.name: Builtin(model, threads) for model in made if isinstance(model, BuiltinModel)}, 160
    config = load_as(settings.config, Served)
    return {model.name: Server(model, price_of(model)) for model in config.models}, config.max_tokens


def _policy(
    settings: Settings, models: Mapping[str, Upstream], state: State | RedisState, threads: Executor
) -> tuple[Policy | Combined | None, str]:
    """Who answers for `ATLAS`, and the kind of queries that do not tell theirs.

    Raises:
        ValueError: one line.
    """
    if settings.saved is not None:
        return _recommended(settings, settings.saved, models, threads)
    pool = fitted.pool_of([fitted.NamedModel(m.name, m.price, m.dress) for m in models.values()])
    dearest = pool.names[::-1]
    if settings.model:
        name = pool.names[pool.index(settings.model)]
        return One((name, *(other for other in dearest if other != name))), "text"
    if not settings.method:
        return None, "text"
    info = catalog.method(settings.method)
    parameters = info.parameters(dict(settings.parameters))
    rng = np.random.default_rng(settings.seed)
    if info.name in BANDITS:
        bandit = BANDITS[info.name]
        explore = bandit.explored if settings.explore is None else settings.explore
        known, kind, prompts = None, "text", []
        if settings.data is not None:
            taught = fitted.lessons(files.load(settings.data), info, info.cls(pool, parameters))
            prompts, kind = taught.train.prompts, taught.kind
        context = fitted.Context(prompts, parameters.embedding)
        if settings.data is not None:
            known = (context.of(prompts), taught.train.scores, taught.train.costs)
        return bandit(pool, parameters, context, known, explore, rng, state.lessons), kind
    recording = None if settings.data is None else files.load(settings.data)
    method, learned = fitted.fit(info, parameters, pool, recording)
    merits = (
        learned.merits if learned else np.arange(len(pool), dtype=np.float64)
    )  # where nothing is known the most expensive stand in first
    kind = learned.kind if learned else "text"
    if isinstance(method, Router):
        return Routed(method, merits, settings.explore or 0.0, rng, info.name), kind
    return _combined(info, method, settings, threads), kind


def _recommended(
    settings: Settings, file: Path, models: Mapping[str, Upstream], threads: Executor
) -> tuple[Policy | Combined, str]:
    """Who answers for `ATLAS` as `atlas recommend` has saved it.

    Raises:
        ValueError: one line.
    """
    found = saved.load(file, {name: model.dress for name, model in models.items()})
    if missing := [name for name in found.models if name not in models]:
        where = settings.config or f"the built-in pool {settings.pool}"
        raise ValueError(f"{file}: has learned with {missing[0]!r}, which {where} does not have (add it there)")
    if found.method is None or found.info is None:
        if settings.explore:
            raise ValueError(f"--explore: {file} says to use {found.name} alone (leave it out)")
        ahead = np.argsort(-found.merits, kind="stable").tolist()
        return One((found.name, *(found.models[i] for i in ahead if found.models[i] != found.name))), found.kind
    if isinstance(found.method, Router):
        rng = np.random.default_rng(settings.seed)
        return Routed(found.method, found.merits, settings.explore or 0.0, rng, found.name), found.kind
    return _combined(found.info, found.method, settings, threads), found.kind


def _combined(info: MethodInfo, method: Method, settings: Settings, threads: Executor) -> Combined:
    if settings.explore:
        raise ValueError(f"--explore: {info.name} asks several models and chooses none (leave it out)")
    return Combined(info, method, threads)


#: What became of a feedback (`State.told`), as a reply.
_REPLIES: Mapping[str, tuple[int, dict[str, Any]]] = {
    "kept": (200, {"status": "kept"}),
    "known": (200, {"status": "known"}),
    "unknown": (404, RequestError(404, "no such decision (x-atlas-decision of the answer tells it)", "unknown").body),
    "other": (409, RequestError(409, "this decision has another score already, which stays", "other").body),
}


class _Feedback:
    """``/v1/feedback``: the score of an answer; it is kept when the reply says so."""

    def __init__(self, state: State | RedisState) -> None:
        self._state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 (the form of ASGI)
        try:
            name, score = feedback(await body_of(receive, _FEEDBACK))
            status, values = _REPLIES[await self._state.told(name, score, time.time())]
            await answer(send, status, {"decision": name, "score": score} | values)
        except StateError as error:
            failed = RequestError(503, str(error), "state")
            await answer(send, failed.status, failed.body)
        except RequestError as error:
            await answer(send, error.status, error.body)
        except GoneError:
            pass


class Guard:
    """Lets in only who sends the key; where there is none, only programs of this machine.

    A web page that a reader has open can send requests to 127.0.0.1 too. Without a key, the name that the request was
    sent to has to be this machine's, and what it sends has to be called JSON, which a page may not do unasked.

    Args:
        app: behind it.
        key: empty for none.
    """

    def __init__(self, app: ASGIApp, key: str) -> None:
        self._app = app
        self._digest = hashlib.sha256(key.encode()).digest() if key else b""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] == "/health":
            await self._app(scope, receive, send)
            return
        refused = self._refused(dict(scope["headers"]), scope["method"])
        if refused is None:
            await self._app(scope, receive, send)
            return
        more = {b"www-authenticate": b"Bearer"} if refused.status == 401 else {}
        await answer(send, refused.status, refused.body, more)

    def _refused(self, headers: Mapping[bytes, bytes], method: str) -> RequestError | None:
        if self._digest:
            kind, _, sent = headers.get(b"authorization", b"").partition(b" ")
            same = hmac.compare_digest(hashlib.sha256(sent.strip()).digest(), self._digest)
            good = same and kind.lower() == b"bearer"
            return None if good else RequestError(401, "wrong or no key (send Authorization: Bearer KEY)", "key")
        host = headers.get(b"host", b"").decode("latin-1")
        if not local(host):
            return RequestError(403, "sent to a name that is not this machine's (use 127.0.0.1 or localhost)", "host")
        if method == "POST" and headers.get(b"content-type", b"").partition(b";")[0].strip() != b"application/json":
            return RequestError(415, "send Content-Type: application/json", "content_type")
        return None


def local(host: str) -> bool:
    """Whether a ``Host`` header names this machine itself.

    >>> local("127.0.0.1:8080"), local("[::1]:80"), local("localhost"), local("127.0.0.1.example.org")
    (True, True, True, False)
    """
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        return False
    return name in ("127.0.0.1", "::1", "localhost")
