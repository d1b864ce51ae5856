"""The leaves that `bin/verify-package` computes from files are those of the platform, under every scope."""

import importlib.machinery
import importlib.util
import io
from pathlib import Path
from types import ModuleType
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packed import pack, record
from test_package_formats import MOMENTS, NUMBERS, TEXT

from customers.fields import EVERYTHING
from customers.records import canonical, project

SCRIPT = Path(__file__).resolve().parents[2] / "bin" / "verify-package"
SCOPES = st.frozensets(st.sampled_from(sorted(EVERYTHING))).map(lambda some: some | {"basic.number"})
PURCHASE = st.tuples(MOMENTS, TEXT, NUMBERS, NUMBERS, TEXT, TEXT)
CUSTOMERS = st.lists(
    st.builds(
        lambda basic, purchases, habit, derived, jurisdiction: record(
            origin=uuid4(),
            basic=basic,
            purchases=purchases,
            habit=habit,
            derived=derived and habit is not None,
            jurisdiction=jurisdiction,
        ),
        st.tuples(*[TEXT] * 6),
        st.lists(PURCHASE, max_size=3),
        st.none() | st.tuples(TEXT, TEXT, TEXT),
        st.booleans(),
        st.sampled_from(["CN", "DE"]),
    ),
    max_size=4,
)


def loaded() -> ModuleType:
    loader = importlib.machinery.SourceFileLoader("verify_package", str(SCRIPT))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("verify_package", loader))
    loader.exec_module(module)
    return module


VERIFIER = loaded()


class Files:
    def __init__(self, files):
        self._files = files

    def open(self, name):
        return io.BytesIO(self._files[name])


@pytest.mark.parametrize(("name", "customers"), [("csv", "customers_of_csv"), ("jsonl", "customers_of_lines")])
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(CUSTOMERS, SCOPES)
def test_the_same_leaves(name, customers, records, scope):
    arrived = [project(one, scope) for one in records]
    files = pack(name, [arrived], scope)[0]
    manifest = {"files": [{"name": name} for name in files]}
    found = [VERIFIER.canonical(*one, scope) for one in getattr(VERIFIER, customers)(Files(files), manifest)]
    assert found == [canonical(one, scope) for one in arrived]
