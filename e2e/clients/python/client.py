"""PyMySQL and mysql-connector-python: `client.py pymysql` or `client.py connector` (see ../README.md)."""

import datetime
import decimal
import hashlib
import os
import ssl
import sys

TABLE = os.environ["E2E_TABLE"]
TEXT = "Zürich 🚀 漢字 ñ \\ ' \" \0 end"
WHEN = datetime.datetime(2024, 2, 29, 23, 59, 58, 123456)


def settings():
    return {
        "host": os.environ["E2E_HOST"],
        "port": int(os.environ["E2E_PORT"]),
        "user": os.environ["E2E_USER"],
        "password": os.environ["E2E_PASSWORD"],
        "database": os.environ["E2E_DATABASE"],
    }


def connect_pymysql():
    import pymysql

    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    connection = pymysql.connect(
        **settings(), ssl=context, charset="utf8mb4", autocommit=True, max_allowed_packet=64 << 20
    )
    assert isinstance(connection._sock, ssl.SSLSocket), "the connection must be encrypted"
    # PyMySQL has no server-side prepared statements: parameters travel as text.
    return connection, connection.cursor(), connection.cursor(), pymysql.err.MySQLError


def connect_connector():
    import mysql.connector

    # The Python implementation, not the C extension: it is the one with a protocol of its own.
    connection = mysql.connector.connect(
        **settings(), use_pure=True, ssl_disabled=False, ssl_verify_cert=False, charset="utf8mb4", autocommit=True
    )
    assert connection.is_secure, "the connection must be encrypted"
    return connection, connection.cursor(buffered=True), connection.cursor(prepared=True), mysql.connector.Error


def expect(actual, wanted):
    if actual != wanted:
        raise AssertionError(f"got {actual!r:.300}, wanted {wanted!r:.300}")


def rows(cursor, statement, parameters=None):
    cursor.execute(statement, parameters) if parameters is not None else cursor.execute(statement)
    return [tuple(row) for row in cursor.fetchall()]


def text(value):
    # A prepared cursor of mysql-connector-python hands out strings as bytearray in some versions.
    return bytes(value).decode() if isinstance(value, (bytes, bytearray)) else value


def main(connect):
    connection, plain, prepared, error_class = connect()
    print("ok connect")

    plain.execute(f"INSERT INTO {TABLE} (id, name, n, at) VALUES (1, 'one', 1.5, '2024-02-29 23:59:58.123456')")
    expect(plain.rowcount, 1)
    plain.execute(f"INSERT INTO {TABLE} (id, name) VALUES (2, 'two'), (3, 'three')")
    expect(plain.rowcount, 2)
    expect(
        rows(plain, f"SELECT id, name, n, at FROM {TABLE} WHERE id = 1"),
        [(1, "one", decimal.Decimal("1.5000"), WHEN)],
    )
    expect([column[0] for column in plain.description], ["id", "name", "n", "at"])
    expect(rows(plain, f"SELECT id FROM {TABLE} ORDER BY id DESC LIMIT 2"), [(3,), (2,)])
    plain.execute(f"UPDATE {TABLE} SET name = 'zwei' WHERE id = 2")
    expect(plain.rowcount, 1)
    print("ok text")

    insert = f"INSERT INTO {TABLE} (id, name, n, at) VALUES (%s, %s, %s, %s)"
    prepared.execute(insert, (10, "ten", decimal.Decimal("-12345678901234.5678"), WHEN))
    prepared.execute(insert, (11, None, None, None))
    select = f"SELECT id, name, n, at FROM {TABLE} WHERE id = %s"
    row = rows(prepared, select, (10,))[0]
    expect((row[0], text(row[1]), row[2], row[3]), (10, "ten", decimal.Decimal("-12345678901234.5678"), WHEN))
    expect(rows(prepared, select, (11,)), [(11, None, None, None)])
    expect(rows(prepared, select, (-1,)), [])
    print("ok prepared")

    def autocommit(on):
        if connect is connect_pymysql:
            connection.autocommit(on)
        else:
            connection.autocommit = on

    connection.begin() if connect is connect_pymysql else connection.start_transaction()
    plain.execute(f"INSERT INTO {TABLE} (id, name) VALUES (20, 'gone')")
    expect(rows(plain, f"SELECT name FROM {TABLE} WHERE id = 20"), [("gone",)])
    connection.rollback()
    expect(rows(plain, f"SELECT name FROM {TABLE} WHERE id = 20"), [])
    autocommit(False)
    plain.execute(f"INSERT INTO {TABLE} (id, name) VALUES (20, 'stays')")
    connection.commit()
    expect(rows(plain, f"SELECT name FROM {TABLE} WHERE id = 20"), [("stays",)])
    connection.commit()
    autocommit(True)
    print("ok transaction")

    for statement, code in [
        (f"INSERT INTO {TABLE} (id) VALUES (1)", 1062),
        ("SELEC 1", 1064),
        (f"SELECT nope FROM {TABLE}", 1054),
    ]:
        try:
            plain.execute(statement)
        except error_class as error:
            expect(error.args[0] if connect is connect_pymysql else error.errno, code)
        else:
            raise AssertionError(f"no error {code}: {statement}")
    expect(rows(plain, "SELECT 1"), [(1,)])
    print("ok errors")

    plain.execute(f"INSERT INTO {TABLE} (id, name) VALUES (%s, %s)", (30, TEXT))
    expect(rows(plain, f"SELECT name FROM {TABLE} WHERE id = 30"), [(TEXT,)])
    expect(text(rows(prepared, f"SELECT name FROM {TABLE} WHERE name = %s", (TEXT,))[0][0]), TEXT)
    print("ok unicode")

    blob = hashlib.shake_256(b"vitrail").digest((17 << 20) + 5)
    prepared.execute(f"INSERT INTO {TABLE} (id, data) VALUES (%s, %s)", (40, blob))
    expect(rows(plain, f"SELECT LENGTH(data) FROM {TABLE} WHERE id = 40"), [(len(blob),)])
    assert bytes(rows(plain, f"SELECT data FROM {TABLE} WHERE id = 40")[0][0]) == blob, "the blob came back different"
    # mysql-connector-python 9.5 itself cuts a binary row at the end of its first packet of 16 MB: ask for a part and a digest.
    parts = f"SELECT RIGHT(data, 1000000), SHA2(data, 256) FROM {TABLE} WHERE id = %s"
    tail, digest = rows(prepared, parts, (40,))[0]
    expect((bytes(tail), text(digest)), (blob[-1000000:], hashlib.sha256(blob).hexdigest()))
    print("ok blob")

    values = ", ".join(f"({1000 + i}, 'row {i}')" for i in range(2000))
    plain.execute(f"INSERT INTO {TABLE} (id, name) VALUES {values}")
    expect(plain.rowcount, 2000)
    found = rows(plain, f"SELECT id, name FROM {TABLE} WHERE id >= 1000 ORDER BY id")
    expect(found, [(1000 + i, f"row {i}") for i in range(2000)])
    print("ok rows")
    connection.close()


main({"pymysql": connect_pymysql, "connector": connect_connector}[sys.argv[1]])
