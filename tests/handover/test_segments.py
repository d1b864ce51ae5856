"""A backup's segments: whatever customers hold comes back from storage as it was; one changed byte and nothing does."""

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stand import add_people, everybody, rolled_back, stand_at
from uuid_utils.compat import uuid7

from customers.fields import EVERYTHING
from customers.models import Customer
from customers.records import Record, canonical, read_records
from customers.services.books import create_book
from handover import segments
from handover.segments import Place, Range, SegmentBroken
from handover.workflow import StepKind
from vault.services import create_stream_key

quick = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
# Whatever people write: any character that is one, in any length.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
purchases = st.lists(st.tuples(*[texts] * 6), max_size=4)
habits = st.none() | st.tuples(texts, texts, texts)


@st.composite
def records(draw):
    numbers = draw(st.lists(st.integers(1, 10**9), min_size=1, max_size=5, unique=True))
    return [
        Record(
            uuid7(),
            draw(st.none() | st.uuids()),
            draw(st.sampled_from(["CN", "DE", "US"])),
            (f"N{number}", *[draw(texts) for _field in range(5)]),
            draw(purchases),
            draw(habits),
            draw(st.booleans()),
        )
        for number in numbers
    ]


@pytest.fixture(scope="module")
def made(keep):
    return keep(lambda cast: stand_at(cast, StepKind.NECESSITY, 3))


@pytest.fixture
def stand(kept_stand):
    return kept_stand


def segment_of(stand, book):
    """A segment of a whole book in storage; its place and key."""
    place = Place(uuid7(), 0)
    key = create_stream_key(stand.cast.seller.pk, place.backup, stand.handover.created_at)
    ids = list(book.customers.order_by("pk").values_list("pk", flat=True))
    segments.write_segment(place, Range(book.pk, ids[0], ids[-1]), key)
    return place, key, ids


@given(found=records())
@quick
def test_what_is_restored_is_what_was_there(stand, found):
    with rolled_back():
        book = create_book(actor=None, organization=stand.cast.seller, name="Anything", now=stand.handover.created_at)
        add_people(book, found)
        before = [canonical(record, EVERYTHING) for record in everybody(book)]
        place, key, ids = segment_of(stand, book)
        # The live rows are gone: what is read comes from storage.
        Customer.objects.filter(book=book).delete()
        with segments.restored(segments.read_segment(place, key)) as destroyed:
            restored = [canonical(record, EVERYTHING) for record in read_records(book, ids[0], ids[-1])]
        assert restored == before
        assert destroyed == set()
        assert not everybody(book)


@given(data=st.data())
@quick
def test_one_changed_bit_anywhere_and_it_does_not_open(stand, data):
    place, key, _ids = segment_of(stand, stand.handover.book)
    with default_storage.open(place.path) as file:
        content = bytearray(file.read())
    at = data.draw(st.integers(0, len(content) * 8 - 1))
    content[at // 8] ^= 1 << at % 8
    default_storage.delete(place.path)
    default_storage.save(place.path, ContentFile(bytes(content)))
    with pytest.raises(SegmentBroken):
        segments.read_segment(place, key)


@given(data=st.data())
@quick
def test_cut_anywhere_or_longer_and_it_does_not_open(stand, data):
    place, key, _ids = segment_of(stand, stand.handover.book)
    with default_storage.open(place.path) as file:
        content = file.read()
    length = data.draw(st.integers(0, len(content) - 1) | st.just(len(content) + 1))
    default_storage.delete(place.path)
    default_storage.save(place.path, ContentFile((content + b"\0")[:length]))
    with pytest.raises(SegmentBroken):
        segments.read_segment(place, key)


def test_a_segment_opens_at_its_own_place_alone(stand):
    place, key, _ids = segment_of(stand, stand.handover.book)
    with default_storage.open(place.path) as file:
        content = file.read()
    for other in (Place(place.backup, 1), Place(uuid7(), 0)):
        default_storage.save(other.path, ContentFile(content))
        with pytest.raises(SegmentBroken):
            segments.read_segment(other, key)


def test_written_twice_the_second_replaces_the_first(stand):
    place, key, ids = segment_of(stand, stand.handover.book)
    size = segments.write_segment(place, Range(stand.handover.book_id, ids[0], ids[0]), key)
    assert default_storage.listdir(f"backups/{place.backup}")[1] == ["000000.segment"]
    assert default_storage.size(place.path) == size
    parts = {table: rows for table, _columns, rows in segments.read_segment(place, key)}
    assert set(parts) == {"customers_customer", "customers_purchase", "customers_habit", "vault_datakey"}


def test_nothing_in_storage_can_be_read(stand):
    place, _key, _ids = segment_of(stand, stand.handover.book)
    with default_storage.open(place.path) as file:
        content = file.read()
    for record in everybody(stand.handover.book):
        for value in filter(None, record.basic):
            assert value.encode() not in content


def test_a_table_that_no_backup_has_is_not_restored(stand):
    with pytest.raises(SegmentBroken), segments.restored([("accounts_user", ["id"], b"")]):
        pass


def test_deleted_segments_are_gone_and_may_be_deleted_again(stand):
    place, key, _ids = segment_of(stand, stand.handover.book)
    segments.delete_segments(place.backup, 3)
    segments.delete_segments(place.backup, 3)
    assert not default_storage.exists(place.path)
    with pytest.raises(SegmentBroken):
        segments.read_segment(place, key)
