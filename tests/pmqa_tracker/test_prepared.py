"""A prepared query is compiled once, and reads the database anew each time."""

import gc
from concurrent.futures import ThreadPoolExecutor
from weakref import ref

import pytest
from django.db import connection, connections
from django.db.models import IntegerField

from criteria.models import Category, Criterion
from pmqa_tracker import prepared
from pmqa_tracker.prepared import Given, read_prepared
from tests.factories import CategoryFactory, CriterionFactory

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def test_query_is_compiled_once_and_reads_anew(django_assert_num_queries, monkeypatch):
    monkeypatch.setattr(prepared, "MOST_KEPT", 9)
    prepared._kept.clear()
    built = []

    def rows():
        built.append(1)
        return Category.objects.filter(name="ก").values_list("number", "name")

    CategoryFactory(number=71, name="ก")
    assert read_prepared(("test", "ก"), rows) == [(71, "ก")]
    CategoryFactory(number=72, name="ก")
    with django_assert_num_queries(1):
        assert sorted(read_prepared(("test", "ก"), rows)) == [(71, "ก"), (72, "ก")]
    assert len(built) == 1
    assert read_prepared(("test", "none"), lambda: Category.objects.none().values_list("number")) == []
    for number in range(9):
        read_prepared(("test", number), lambda number=number: Category.objects.filter(pk=number).values_list("pk"))
    assert len(prepared._kept) == 9
    read_prepared(("test", "ก"), rows)
    assert len(built) == 2


def test_objects_are_read_for_given_values(django_assert_num_queries):
    criteria = {number: CriterionFactory(category__number=number) for number in (81, 82)}

    def rows():
        given = Criterion.objects.filter(category__number=Given("number", IntegerField()))
        return given.select_related("category").order_by("pk")

    for number, criterion in criteria.items():
        with django_assert_num_queries(1):
            (found,) = read_prepared("test given", rows, number=number)
            assert (found, found.code, found.category.number) == (criterion, criterion.code, number)
    assert read_prepared("test given", rows, number=83) == []


def test_records_have_what_the_query_prefetches(django_assert_num_queries):
    criterion = CriterionFactory(category__name="ก")

    def rows():
        return Category.objects.filter(name="ก").prefetch_related("criteria")

    for _each in range(2):
        with django_assert_num_queries(2):
            (found,) = read_prepared("test prefetch", rows)
            assert [*found.criteria.all()] == [criterion]
    (named,) = read_prepared("test names", lambda: rows().values_list("number", "name", named=True))
    assert named.name == "ก"


def test_statement_keeps_no_connection_of_a_thread_that_has_ended():
    def prepare():
        return prepared._Statement(Category.objects.filter(name="ก")), ref(connections[connection.alias])

    with ThreadPoolExecutor(1) as pool:
        statement, of_thread = pool.submit(prepare).result()
    gc.collect()
    assert (statement.read({}), of_thread()) == ([], None)
