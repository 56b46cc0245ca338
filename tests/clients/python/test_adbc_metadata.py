"""What notebooks and tools ask the ADBC driver before the first query: objects, types, schemas, info."""

import pyarrow as pa
import pytest

from support import adbc

MANAGED = {"events", "orders", "order_entries", "order_items", "persons", "identities", "event_catalog", "dates"}
SYSTEM = {"dead_letters", "log", "queries", "settings"}


def objects(connection, **filters) -> dict:
    """{catalog: {schema: {table: column names}}}, with None where the depth ends."""
    found = {}
    for catalog in connection.adbc_get_objects(**filters).read_all().to_pylist():
        schemas = catalog["catalog_db_schemas"]
        found[catalog["catalog_name"]] = schemas and {
            schema["db_schema_name"]: schema["db_schema_tables"]
            and {
                table["table_name"]: table["table_columns"]
                and [column["column_name"] for column in table["table_columns"]]
                for table in schema["db_schema_tables"]
            }
            for schema in schemas
        }
    return found


def test_catalogs(connection):
    assert set(objects(connection, depth="catalogs")) == {"convoke"}


def test_schemas(connection):
    assert {"main", "system"} <= set(objects(connection, depth="db_schemas")["convoke"])


def test_tables(connection):
    schemas = objects(connection, depth="tables")["convoke"]
    assert MANAGED <= set(schemas["main"])
    assert SYSTEM <= set(schemas["system"])


def test_columns(connection):
    tables = objects(connection, depth="all")["convoke"]["main"]
    assert {"message_id", "ts", "event", "person", "identifiers", "revenue", "category", "properties"} <= set(
        tables["events"]
    )
    assert tables["persons"][:3] == ["person", "person_id", "known"]


def test_filters_with_patterns(connection):
    found = objects(connection, depth="tables", table_name_filter="order%", db_schema_filter="main")
    assert set(found["convoke"]["main"]) == {"orders", "order_entries", "order_items"}
    nothing = objects(connection, depth="tables", table_name_filter="no such table")
    assert not any(tables for tables in (nothing["convoke"] or {}).values())


def test_filter_by_table_type(connection):
    types = {row["table_type"] for row in _table_types(connection)}
    assert types
    for one in types:
        assert objects(connection, depth="tables", table_types_filter=[one])["convoke"]


def _table_types(connection) -> list[dict]:
    return [{"table_type": name} for name in connection.adbc_get_table_types()]


def test_every_table_can_be_read(connection):
    """Names from the metadata work in SQL, and their columns are those of the result."""
    for schema, tables in objects(connection, depth="all")["convoke"].items():
        for table, columns in (tables or {}).items():
            result = adbc.table(connection, f'SELECT * FROM "{schema}"."{table}" LIMIT 1')
            assert result.column_names == columns, f"{schema}.{table}"


def test_schema_of_a_table(connection):
    schema = connection.adbc_get_table_schema("events", db_schema_filter="main")
    assert schema.field("ts").type == pa.timestamp("us", tz="UTC")
    assert schema.field("revenue").type == pa.decimal128(18, 4)
    assert schema.field("person").type == pa.int64()
    assert schema.field("user_id").type == pa.string()
    assert pa.types.is_list(schema.field("category").type)
    with pytest.raises(Exception, match="(?i)not.?found|no such|does not exist|events_of_nobody"):
        connection.adbc_get_table_schema("events_of_nobody")


def test_schema_of_a_query_before_it_runs(connection):
    with connection.cursor() as cursor:
        schema = cursor.adbc_execute_schema("SELECT count(*) AS n, sum(revenue) AS r FROM events")
    assert schema.names == ["n", "r"]
    assert schema.field("n").type == pa.int64()


def test_info(connection):
    info = connection.adbc_get_info()
    assert info["vendor_name"].lower() == "convoke"
    assert info["vendor_version"]
    assert info["vendor_arrow_version"]


def test_partitions(server, connection):
    """Endpoints of one query, read one by one over another connection."""
    with connection.cursor() as cursor:
        partitions, schema = cursor.adbc_execute_partitions("SELECT user_id, revenue FROM events")
    assert schema.names == ["user_id", "revenue"]
    rows = 0
    with adbc.connect(server) as other:
        for partition in partitions:
            with other.cursor() as cursor:
                cursor.adbc_read_partition(partition)
                rows += cursor.fetch_arrow_table().num_rows
    assert rows == 69_659
