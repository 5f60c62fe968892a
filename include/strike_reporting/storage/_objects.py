"""A root on S3. What S3 answers is taken from the request itself, so that each call is one request."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

from strike_reporting.errors import Away
from strike_reporting.storage._folder import nothing

AT_ONCE = 32  # requests side by side
ONE_PUT = 5 * 2**30  # bytes: an upload in parts is not atomic and can be left half done
CONFLICT_WAITS = (0.05, 0.2, 0.8)  # seconds before a request that met another one on the same key is tried again
_T = TypeVar("_T")


@contextmanager
def _reached() -> Iterator[None]:
    """Silence of S3, or its word that it is not well, as `Away`; s3fs has tried again before."""
    from botocore.exceptions import ConnectionError, HTTPClientError

    try:
        yield
    except (ConnectionError, HTTPClientError, TimeoutError) as error:
        raise Away(f"the object store cannot be reached now: {error}") from error
    except OSError as error:
        if (_status(error) or 0) < 500:
            raise
        raise Away(f"the object store does not answer as it should: {error}") from error


def _again(do: Callable[[], _T], is_settled: Callable[[int | None], bool] = lambda status: False) -> _T | None:
    """Do it, and again where it met another request (409); nothing once the refusal itself is the answer."""
    waits = iter(CONFLICT_WAITS)
    while True:
        try:
            return do()
        except OSError as error:
            status = _status(error)
            if is_settled(status):
                return None
            if status != 409:
                raise
            if (wait := next(waits, None)) is None:
                raise Away(
                    f"the object store says again and again that another request is in the way: {error}"
                ) from error
            time.sleep(wait)


class Objects:
    """Objects of one bucket, below one prefix."""

    def __init__(self, fs: Any, base: str) -> None:
        self.fs, self.base = fs, base
        self.bucket, self.prefix, _ = fs.split_path(f"{base}/")

    @_reached()
    def exists(self, key: str) -> bool:
        try:
            self.fs.call_s3("head_object", **self._object(key))
        except FileNotFoundError:
            return False
        return True

    @_reached()
    def read_many(self, keys: Sequence[str], missing_ok: bool) -> dict[str, bytes]:
        def one(key: str) -> bytes | None:
            try:
                return bytes(self.fs.cat_file(f"{self.base}/{key}", max_concurrency=1))  # else its size is asked first
            except FileNotFoundError as error:
                if missing_ok:
                    return None
                raise nothing(key) from error

        if len(keys) < 2:
            found = [one(key) for key in keys]
        else:
            with ThreadPoolExecutor(min(AT_ONCE, len(keys))) as pool:
                found = list(pool.map(one, keys))
        return {key: data for key, data in zip(keys, found, strict=True) if data is not None}

    @_reached()
    def write_many(self, files: Mapping[str, bytes], private: bool) -> None:
        if files:
            whole = {f"{self.base}/{key}": data for key, data in files.items()}
            _again(lambda: self.fs.pipe(whole, batch_size=AT_ONCE, chunksize=ONE_PUT))

    @_reached()
    def create(self, key: str, data: bytes) -> bool:
        def put() -> bool:
            try:
                self.fs.pipe_file(f"{self.base}/{key}", data, mode="create", chunksize=ONE_PUT)
            except FileExistsError:
                return False
            return True

        return bool(_again(put, lambda status: status == 412 or (status == 409 and self.exists(key))))

    def list(self, prefix: str) -> Iterator[str]:
        for page in self._pages("list_objects_v2", prefix and f"{prefix}/"):
            yield from self._keys(page.get("Contents", ()))

    @_reached()
    def delete(self, key: str) -> None:
        _again(lambda: self.fs.call_s3("delete_object", **self._object(key)))

    @_reached()
    def move(self, key: str, to: str, private: bool) -> bool:
        try:
            _again(lambda: self.fs.call_s3("copy_object", **self._object(to), CopySource=self._object(key)))
        except FileNotFoundError:
            return False
        self.delete(key)
        return True

    @_reached()
    def erase(self, key: str) -> int:
        versions = [v for page in self._pages("list_object_versions", key) for v in _versions(page)]
        mine = [v["VersionId"] for v in versions if v["Key"] == self.prefix + key]
        for version in mine:
            _again(partial(self.fs.call_s3, "delete_object", **self._object(key), VersionId=version))
        return len(mine)

    def traces(self, prefix: str) -> Iterator[str]:
        pages = self._pages("list_object_versions", prefix and f"{prefix}/")
        return iter({key for page in pages for key in self._keys(_versions(page))})

    def leftovers(self) -> Sequence[str]:
        """None: a put is whole or absent."""
        return []

    def clear_leftovers(self) -> int:
        return 0

    def _object(self, key: str) -> dict[str, str]:
        return {"Bucket": self.bucket, "Key": self.prefix + key}

    def _pages(self, method: str, start: str) -> Iterator[dict[str, Any]]:
        after: dict[str, str] = {}
        while True:
            with _reached():
                page = self.fs.call_s3(method, Bucket=self.bucket, Prefix=self.prefix + start, **after)
            yield page
            if not page.get("IsTruncated"):
                return
            markers = ("ContinuationToken", "KeyMarker", "VersionIdMarker")
            after = {name: page[f"Next{name}"] for name in markers if f"Next{name}" in page}

    def _keys(self, found: Iterable[dict[str, Any]]) -> Iterator[str]:
        names = (str(one["Key"]) for one in found)
        return (name.removeprefix(self.prefix) for name in names if not name.endswith("/"))


def _versions(page: dict[str, Any]) -> list[dict[str, Any]]:
    return [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]


def _status(error: OSError) -> int | None:
    """The HTTP status behind an error of S3."""
    response = getattr(error.__cause__, "response", {})
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return None if status is None else int(status)
