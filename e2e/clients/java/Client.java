import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.time.LocalDateTime;
import java.util.Arrays;
import java.util.Objects;
import java.util.Properties;
import java.util.Random;

/** Connector/J: with prepared statements on the client, on the server, and with cursors (see ../README.md). */
public class Client {
    static final String TABLE = System.getenv("E2E_TABLE");
    static final String TEXT = "Zürich 🚀 漢字 ñ \\ ' \" \0 end";
    static final LocalDateTime WHEN = LocalDateTime.of(2024, 2, 29, 23, 59, 58, 123456000);

    static void expect(Object got, Object wanted) {
        if (!Objects.equals(got, wanted)) {
            throw new AssertionError("got " + got + ", wanted " + wanted);
        }
    }

    public static void main(String[] arguments) throws Exception {
        run(false, 0);
        run(true, 100_000);
    }

    static void run(boolean onServer, long base) throws Exception {
        String kind = onServer ? " (server-side)" : " (client-side)";
        Properties properties = new Properties();
        properties.setProperty("user", System.getenv("E2E_USER"));
        properties.setProperty("password", System.getenv("E2E_PASSWORD"));
        properties.setProperty("sslMode", "REQUIRED");
        properties.setProperty("useServerPrepStmts", String.valueOf(onServer));
        properties.setProperty("cachePrepStmts", String.valueOf(onServer));
        properties.setProperty("useCursorFetch", String.valueOf(onServer));
        properties.setProperty("maxAllowedPacket", String.valueOf(64 << 20));
        // UTC on both sides: the driver would convert DATETIME between the zones of client and session.
        properties.setProperty("connectionTimeZone", "UTC");
        String url = "jdbc:mysql://" + System.getenv("E2E_HOST") + ":" + System.getenv("E2E_PORT") + "/" + System.getenv("E2E_DATABASE");
        try (Connection connection = DriverManager.getConnection(url, properties); Statement plain = connection.createStatement()) {
            System.out.println("ok connect" + kind);
            text(plain, base);
            System.out.println("ok text" + kind);
            prepared(connection, base);
            System.out.println("ok prepared" + kind);
            transaction(connection, plain, base);
            System.out.println("ok transaction" + kind);
            errors(plain, base);
            System.out.println("ok errors" + kind);
            unicode(connection, plain, base);
            System.out.println("ok unicode" + kind);
            blob(connection, base);
            System.out.println("ok blob" + kind);
            rows(connection, base);
            System.out.println("ok rows" + kind);
        }
    }

    static void text(Statement plain, long base) throws SQLException {
        expect(plain.executeUpdate("INSERT INTO " + TABLE + " (id, name, n, at) VALUES (" + (base + 1) + ", 'one', 1.5, '2024-02-29 23:59:58.123456')"), 1);
        expect(plain.executeUpdate("INSERT INTO " + TABLE + " (id, name) VALUES (" + (base + 2) + ", 'two'), (" + (base + 3) + ", 'three')"), 2);
        try (ResultSet row = plain.executeQuery("SELECT id, name, n, at AS moment FROM " + TABLE + " WHERE id = " + (base + 1))) {
            expect(row.next(), true);
            expect(row.getLong("id"), base + 1);
            expect(row.getString("name"), "one");
            expect(row.getBigDecimal("n"), new BigDecimal("1.5000"));
            expect(row.getObject("moment", LocalDateTime.class), WHEN);
            expect(row.getMetaData().getColumnTypeName(1), "BIGINT");
            expect(row.next(), false);
        }
        // The driver asks for found rows: an update to the same value counts.
        expect(plain.executeUpdate("UPDATE " + TABLE + " SET name = 'two' WHERE id = " + (base + 2)), 1);
        // A warning, which the driver fetches by SHOW WARNINGS afterwards.
        plain.executeQuery("SELECT CAST('1x' AS SIGNED)").close();
        expect(plain.getWarnings() != null && plain.getWarnings().getErrorCode() == 1292, true);
    }

    static void prepared(Connection connection, long base) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO " + TABLE + " (id, name, n, at) VALUES (?, ?, ?, ?)")) {
            insert.setLong(1, base + 10);
            insert.setString(2, "ten");
            insert.setBigDecimal(3, new BigDecimal("-12345678901234.5678"));
            insert.setObject(4, WHEN);
            expect(insert.executeUpdate(), 1);
            insert.setLong(1, base + 11);
            insert.setNull(2, Types.VARCHAR);
            insert.setNull(3, Types.DECIMAL);
            insert.setNull(4, Types.TIMESTAMP);
            expect(insert.executeUpdate(), 1);
            for (int i = 12; i < 15; i++) {
                insert.setLong(1, base + i);
                insert.setString(2, "batch");
                insert.addBatch();
            }
            expect(Arrays.stream(insert.executeBatch()).sum(), 3);
        }
        try (PreparedStatement select = connection.prepareStatement("SELECT id, name, n, at FROM " + TABLE + " WHERE id = ?")) {
            select.setLong(1, base + 10);
            try (ResultSet row = select.executeQuery()) {
                expect(row.next(), true);
                expect(row.getString(2), "ten");
                expect(row.getBigDecimal(3), new BigDecimal("-12345678901234.5678"));
                expect(row.getObject(4, LocalDateTime.class), WHEN);
            }
            select.setString(1, String.valueOf(base + 11));
            try (ResultSet row = select.executeQuery()) {
                expect(row.next(), true);
                expect(row.getString(2), null);
                expect(row.getObject(4), null);
            }
            select.setLong(1, -1);
            try (ResultSet row = select.executeQuery()) {
                expect(row.next(), false);
            }
        }
    }

    static void transaction(Connection connection, Statement plain, long base) throws SQLException {
        String count = "SELECT COUNT(*) FROM " + TABLE + " WHERE id = " + (base + 20);
        String insert = "INSERT INTO " + TABLE + " (id, name) VALUES (" + (base + 20) + ", 'x')";
        connection.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
        connection.setAutoCommit(false);
        plain.executeUpdate(insert);
        expect(number(plain, count), 1L);
        connection.rollback();
        expect(number(plain, count), 0L);
        plain.executeUpdate(insert);
        connection.commit();
        expect(number(plain, count), 1L);
        connection.setAutoCommit(true);
        connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
    }

    static long number(Statement plain, String query) throws SQLException {
        try (ResultSet row = plain.executeQuery(query)) {
            expect(row.next(), true);
            return row.getLong(1);
        }
    }

    static void errors(Statement plain, long base) throws SQLException {
        fails(plain, "INSERT INTO " + TABLE + " (id) VALUES (" + (base + 1) + ")", 1062, "23000");
        fails(plain, "SELEC 1", 1064, "42000");
        fails(plain, "SELECT nope FROM " + TABLE, 1054, "42S22");
        expect(number(plain, "SELECT 1"), 1L);
    }

    static void fails(Statement plain, String statement, int code, String state) {
        try {
            plain.execute(statement);
        } catch (SQLException error) {
            expect(error.getErrorCode(), code);
            expect(error.getSQLState(), state);
            return;
        }
        throw new AssertionError("no error " + code + ": " + statement);
    }

    static void unicode(Connection connection, Statement plain, long base) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO " + TABLE + " (id, name) VALUES (?, ?)")) {
            insert.setLong(1, base + 30);
            insert.setString(2, TEXT);
            expect(insert.executeUpdate(), 1);
        }
        try (ResultSet row = plain.executeQuery("SELECT name FROM " + TABLE + " WHERE id = " + (base + 30))) {
            expect(row.next(), true);
            expect(row.getString(1), TEXT);
        }
    }

    static void blob(Connection connection, long base) throws SQLException {
        byte[] data = new byte[(17 << 20) + 5];
        new Random(1).nextBytes(data);
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO " + TABLE + " (id, data) VALUES (?, ?)")) {
            insert.setLong(1, base + 40);
            insert.setBytes(2, data);
            expect(insert.executeUpdate(), 1);
            // As a stream: the driver sends it in pieces by COM_STMT_SEND_LONG_DATA when the statement is on the server.
            insert.setLong(1, base + 41);
            insert.setBinaryStream(2, new java.io.ByteArrayInputStream(data), data.length);
            expect(insert.executeUpdate(), 1);
        }
        try (PreparedStatement select = connection.prepareStatement("SELECT data FROM " + TABLE + " WHERE id = ?")) {
            for (long id : new long[] {base + 40, base + 41}) {
                select.setLong(1, id);
                try (ResultSet row = select.executeQuery()) {
                    expect(row.next(), true);
                    expect(Arrays.equals(row.getBytes(1), data), true);
                }
            }
        }
    }

    static void rows(Connection connection, long base) throws SQLException {
        StringBuilder values = new StringBuilder();
        for (int i = 0; i < 2000; i++) {
            values.append(i == 0 ? "(" : ", (").append(base + 1000 + i).append(", 'row ").append(i).append("')");
        }
        try (Statement plain = connection.createStatement()) {
            expect(plain.executeUpdate("INSERT INTO " + TABLE + " (id, name) VALUES " + values), 2000);
        }
        String query = "SELECT id, name FROM " + TABLE + " WHERE id >= ? AND id < ? ORDER BY id";
        try (PreparedStatement select = connection.prepareStatement(query)) {
            select.setFetchSize(300); // with a cursor: several COM_STMT_FETCH
            select.setLong(1, base + 1000);
            select.setLong(2, base + 100_000);
            int i = 0;
            try (ResultSet row = select.executeQuery()) {
                for (; row.next(); i++) {
                    expect(row.getLong(1), base + 1000 + i);
                    expect(row.getString(2), "row " + i);
                }
            }
            expect(i, 2000);
        }
    }
}
