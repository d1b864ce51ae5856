"""The root key file: made once, for its owner alone, never made again over a loss."""

import threading
from pathlib import Path
from uuid import uuid4

import pytest

from vault import services
from vault.errors import RootKeyUnusable
from vault.organization_keys import forget
from vault.root import FileRootKey

SECRET = b"k" * 32


def test_made_by_the_first_wrap_with_mode_0600(tmp_path: Path) -> None:
    root = FileRootKey(tmp_path / "new" / "root.key")
    wrapped = root.wrap(SECRET, b"here")
    assert root.path.stat().st_mode & 0o777 == 0o600
    assert len(root.path.read_bytes()) == 32
    assert [path.name for path in root.path.parent.iterdir()] == ["root.key"]
    assert root.unwrap(wrapped, b"here") == SECRET
    assert SECRET not in wrapped


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_refused_if_others_can_read_it(tmp_path: Path, mode: int) -> None:
    root = FileRootKey(tmp_path / "root.key")
    root.wrap(SECRET, b"")
    root.path.chmod(mode)
    with pytest.raises(RootKeyUnusable, match="chmod 600"):
        root.wrap(SECRET, b"")


@pytest.mark.parametrize("content", [b"", b"x" * 31, b"x" * 33])
def test_refused_if_the_length_is_wrong(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "root.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(RootKeyUnusable, match="32 bytes"):
        FileRootKey(path).wrap(SECRET, b"")


def test_unwrap_never_makes_a_key(tmp_path: Path) -> None:
    root = FileRootKey(tmp_path / "root.key")
    with pytest.raises(RootKeyUnusable, match="missing"):
        root.unwrap(b"x" * 60, b"")
    assert not root.exists()


def test_another_root_key_another_context_and_a_changed_wrap_do_not_open(tmp_path: Path) -> None:
    root, other = FileRootKey(tmp_path / "a"), FileRootKey(tmp_path / "b")
    wrapped = root.wrap(SECRET, b"one")
    other.wrap(SECRET, b"one")
    flipped = wrapped[:-1] + bytes([wrapped[-1] ^ 1])
    for opener, value, context in ((other, wrapped, b"one"), (root, wrapped, b"two"), (root, flipped, b"one")):
        with pytest.raises(RootKeyUnusable):
            opener.unwrap(value, context)


def test_concurrent_first_uses_agree_on_one_key(tmp_path: Path) -> None:
    root = FileRootKey(tmp_path / "root.key")
    start, wrapped = threading.Barrier(8), []

    def use() -> None:
        start.wait()
        wrapped.append(root.wrap(SECRET, b""))

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [root.unwrap(each, b"") for each in wrapped] == [SECRET] * 8
    assert [path.name for path in tmp_path.iterdir()] == ["root.key"]


@pytest.mark.django_db
def test_a_lost_root_key_is_not_replaced(settings: object, tmp_path: Path, now: object) -> None:
    settings.ROOT_KEY_FILE = str(tmp_path / "root.key")
    services.ensure_organization_keys(uuid4(), now)
    Path(settings.ROOT_KEY_FILE).unlink()
    forget()
    with pytest.raises(RootKeyUnusable, match="missing"):
        services.ensure_organization_keys(uuid4(), now)
    assert not Path(settings.ROOT_KEY_FILE).exists()
