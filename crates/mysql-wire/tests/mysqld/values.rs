//! Values of every column type: what MySQL sends as text must be what we make of its binary rows, and the other way.

use bytes::BytesMut;
use mysql_wire::client::{ClientConnection, Column};
use mysql_wire::packet::{Reader, Writer};
use mysql_wire::value::{DECIMALS_NOT_FIXED, Value, ValueRef, binary, convert, text};

use crate::root;

/// Columns of every type, and rows of literals for them.
const TABLE: &str = "CREATE TABLE v (
    t1 TINYINT, t1u TINYINT UNSIGNED, t2 SMALLINT, t2u SMALLINT UNSIGNED, t3 MEDIUMINT, t3u MEDIUMINT UNSIGNED,
    t4 INT, t4u INT UNSIGNED, t8 BIGINT, t8u BIGINT UNSIGNED, zf INT(8) ZEROFILL, zb BIGINT(3) ZEROFILL,
    zd DECIMAL(8,2) ZEROFILL, zdo DOUBLE ZEROFILL, zfl FLOAT(9,2) ZEROFILL,
    b BOOLEAN, bit1 BIT, bit64 BIT(64), f FLOAT, d DOUBLE, fd FLOAT(10,3), dd DOUBLE(15,5), du DOUBLE UNSIGNED,
    de DECIMAL(10,3), dx DECIMAL(65,30), da DATE, y YEAR,
    dt DATETIME, dt3 DATETIME(3), dt6 DATETIME(6), ts TIMESTAMP NULL, ts6 TIMESTAMP(6) NULL,
    ti TIME, ti1 TIME(1), ti6 TIME(6), c CHAR(10), vc VARCHAR(100), bi BINARY(5), vb VARBINARY(100),
    tt TINYTEXT, tx TEXT, mt MEDIUMTEXT, lt LONGTEXT, tb TINYBLOB, bl BLOB, mb MEDIUMBLOB, lb LONGBLOB,
    e ENUM('a','b','ü'), s SET('x','y','z'), j JSON, g GEOMETRY, p POINT, ve VECTOR(3), l1 VARCHAR(10) CHARSET latin1)";

const ROWS: [&str; 5] = [
    "(-128, 255, -32768, 65535, -8388608, 16777215, -2147483648, 4294967295, -9223372036854775808,
      18446744073709551615, 42, 7, 1.5, 1.5, 2.25, TRUE, b'1', b'1010101010101010101010101010101010101010101010101010101010101010',
      16777216, 0.1, 1234567.891, -1234567890.12345, 1e300, -1234567.891, 12345678901234567890123456789012345.123456789012345678901234567890,
      '9999-12-31', 2155, '9999-12-31 23:59:59', '2026-11-21 01:02:03.040', '2026-11-21 01:02:03.000004', '2026-11-21 01:02:03',
      '2026-11-21 01:02:03.5', '838:59:59', '-01:02:03.4', '-838:59:58.999999', 'char', 'größe', 'bin', x'00ff27',
      'tiny', 'text', 'medium', 'long', x'00', x'ff00', '', 'x', 'ü', 'x,z', '{\"a\": [1, 2.5, null, \"ü\"]}',
      ST_GeomFromText('LINESTRING(0 0,1 1)'), POINT(1,2), TO_VECTOR('[1,2.5,-3]'), 'é')",
    "(127, 0, 32767, 0, 8388607, 0, 2147483647, 0, 9223372036854775807, 0, 123456789, 12345, 0, 0, 0, FALSE, b'0', 0,
      -1.5e-30, -1e-300, 0, 0, 0, 0, 0, '1000-01-01', 1901, '1000-01-01 00:00:00', '2026-11-21 00:00:00.001', '2026-11-21 10:00:00',
      '1970-01-01 00:00:01', '2026-11-21 00:00:00', '00:00:00', '00:00:00.5', '00:00:00', '', '', '', '', '', '', '', '', '', '', '', '',
      'a', '', 'null', POINT(0,0), POINT(-1e10,1e-10), TO_VECTOR('[0,0,0]'), '')",
    "(0, 128, 0, 32768, -1, 8388608, -1, 2147483648, -1, 9223372036854775808, 0, 0, 99999, 1e20, 1, TRUE, b'1', 1, 3.4e38, 1.7e308,
      -0.0005, 0.00001, 1e-5, 0.001, -0.1, '2000-02-29', 2000, '2000-02-29 12:00:00', '2000-02-29 12:00:00.5', '2000-02-29 12:00:00.123456',
      '2038-01-19 03:14:07', '2038-01-19 03:14:07.999999', '-00:00:01', '100:00:00.1', '24:00:00.000001', ' x ', 'a\\0b', 'a\\0b', 'a\\0b',
      '\\\\', '\\'', '\"', '\\n', '\\\\', '\\'', '\"', '\\n', 'b', 'y', '\"s\"', POINT(5,5), POINT(0,0), TO_VECTOR('[1e-5,1e5,3]'), 'z')",
    "(1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, '0000-00-00', 0, '0000-00-00', '2026-00-00',
      '2026-11-00 01:00:00', '0000-00-00', '0000-00-00', 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, '1', POINT(1,1), POINT(1,1),
      TO_VECTOR('[1,1,1]'), 1)",
    "(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
      NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
      NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
];

/// Runs the query in both protocols and compares every cell.
async fn compare(c: &mut ClientConnection, sql: &str) -> usize {
    let as_text = c.query(sql).await.unwrap();
    let statement = c.prepare(sql).await.unwrap();
    let as_binary = c.execute(&statement, &[]).await.unwrap();
    assert_eq!(as_text.rows.len(), as_binary.rows.len());
    for (texts, values) in as_text.rows.iter().zip(&as_binary.rows) {
        for ((column, cell), value) in as_binary.columns.iter().zip(texts).zip(values) {
            compare_cell(column, cell.as_deref(), value);
        }
    }
    c.close_statement(statement);
    as_text.rows.len()
}

fn compare_cell(column: &Column, cell: Option<&[u8]>, value: &Value) {
    let name = String::from_utf8_lossy(&column.name);
    let shown = cell.map(String::from_utf8_lossy);
    let printed = convert::value_to_text(&column.format, &value.as_ref()).unwrap();
    assert_eq!(printed.as_deref(), cell, "{name}: {value:?} for {shown:?}");
    let decoded = text::decode(&column.format, cell).unwrap();
    // The text of FLOAT and of columns with fixed decimals has fewer digits than the value.
    let is_exact = match value {
        Value::Float(_) => false,
        Value::Double(_) => column.format.decimals >= DECIMALS_NOT_FIXED,
        _ => true,
    };
    if is_exact {
        assert_eq!(decoded, value.as_ref(), "{name}: {shown:?}");
    }
    if *value != Value::Null {
        let mut packed = BytesMut::new();
        binary::encode(&column.format, &value.as_ref(), &mut Writer::new(&mut packed)).unwrap();
        let again = binary::decode(&column.format, &mut Reader::new(&packed)).unwrap();
        assert_eq!(again, value.as_ref(), "{name}");
    }
}

#[tokio::test]
async fn every_column_type_in_both_protocols() {
    let mut c = root("column_values").await;
    c.query("SET sql_mode = '', time_zone = '+00:00'").await.unwrap();
    c.query("DROP TABLE IF EXISTS v").await.unwrap();
    // VECTOR came with MySQL 9.
    let has_vectors = !c.server_version().starts_with("8.");
    let adapt = |sql: &str| match has_vectors {
        true => sql.to_owned(),
        false => sql.replace("VECTOR(3)", "BLOB").replace("TO_VECTOR(", "("),
    };
    c.query(adapt(TABLE)).await.unwrap();
    for row in ROWS {
        c.query(format!("INSERT INTO v VALUES {}", adapt(row)))
            .await
            .unwrap();
    }
    assert_eq!(compare(&mut c, "SELECT * FROM v").await, ROWS.len());
    // Column types and decimals of expressions differ from those of columns.
    compare(
        &mut c,
        "SELECT t1 + 1, t8u + 0, d + 1, f + 1, f, de * 2, de / 3, SUM(f), AVG(d), AVG(t4), SUM(t8), COUNT(*), MAX(dt3),
         MIN(ti6), MAX(y), GROUP_CONCAT(vc), CONCAT(t1), ROUND(d, 2), CAST(f AS DOUBLE), CAST(de AS SIGNED),
         CAST(vc AS DATE), CAST(ti AS DATETIME(2)) IS NULL, NULL, TRUE, 1.5, 1e3, 'x', x'00ff', b'1', SEC_TO_TIME(d / 1e300),
         TIMEDIFF(dt6, dt6), ADDTIME(ti, '0:0:1.5'), CONVERT_TZ(dt, '+00:00', '+01:00'), FROM_UNIXTIME(1.5), NOW(4) IS NULL,
         TIME'-10:00:00.1234', TIMESTAMP'2026-01-01 00:00:00.10', BIT_OR(t8u), STDDEV(d), j->'$.a', JSON_EXTRACT(j, '$.a[1]'),
         ST_X(p), BIT_COUNT(bit64), UUID_TO_BIN('00000000-0000-0000-0000-000000000001'), IF(t1 > 0, f, d), COALESCE(f, 1)
         FROM v GROUP BY t1, t8u, d, f, de, vc, ti, dt6, dt, j, p, bit64",
    )
    .await;
    compare(
        &mut c,
        "SELECT t1 * d, t1u UNION ALL SELECT f, de FROM v"
            .replace("t1 * d, t1u", "1e0, 2")
            .as_str(),
    )
    .await;
}

#[tokio::test]
async fn floating_point_numbers_are_printed_as_mysql_does() {
    let mut c = root("float_values").await;
    c.query("SET sql_mode = ''").await.unwrap();
    c.query("CREATE TEMPORARY TABLE n (d DOUBLE, f FLOAT, dd DOUBLE(30,10), ff FLOAT(20,4))")
        .await
        .unwrap();
    let mut bits = 0x9e37_79b9_7f4a_7c15_u64;
    let mut rows = vec!["(0, 0, 0, 0)".to_owned()];
    for exponent in -25..=25 {
        for digits in [
            "1",
            "5",
            "9.9999999999999",
            "1.5",
            "1.234567",
            "1.23456789012345678",
            "9.99999",
            "9.999995",
        ] {
            let number = format!("{digits}e{exponent}");
            rows.push(format!("({number}, {number}, {number}, -{number})"));
        }
    }
    for power in -1022..=1023 {
        let double = 2_f64.powi(power);
        rows.push(format!("({double:e}, 0, 0, 0)"));
    }
    for _ in 0..2000 {
        bits = bits
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let double = f64::from_bits(bits);
        let float = f32::from_bits(u32::try_from(bits >> 32).unwrap());
        if double.is_finite() && float.is_finite() {
            rows.push(format!("({double:e}, {float:e}, {float:e}, {float:e})"));
        }
    }
    for chunk in rows.chunks(200) {
        c.query(format!("INSERT INTO n VALUES {}", chunk.join(",")))
            .await
            .unwrap();
    }
    assert_eq!(compare(&mut c, "SELECT * FROM n").await, rows.len());
    compare(&mut c, "SELECT d * 1e0, f * 1e0, -d, d / 7, ff + dd FROM n").await;
}

#[tokio::test]
async fn rows_converted_as_a_whole_are_mysqls_own() {
    let mut c = root("row_values").await;
    let sql = "SELECT 1 AS i, NULL AS n, 'text' AS s, 2.5 AS d, DATE'2026-11-21' AS da, TIME'-1:00:00' AS ti, 1e10 AS f";
    let as_text = c.query(sql).await.unwrap();
    let statement = c.prepare(sql).await.unwrap();
    let as_binary = c.execute(&statement, &[]).await.unwrap();
    let formats: Vec<_> = as_binary.columns.iter().map(|column| column.format).collect();
    let mut text_row = BytesMut::new();
    let mut w = Writer::new(&mut text_row);
    as_text.rows[0]
        .iter()
        .for_each(|cell| w.lenenc_bytes_or_null(cell.as_deref()));
    let mut binary_row = BytesMut::new();
    let values = as_binary.rows[0]
        .iter()
        .map(Value::as_ref)
        .collect::<Vec<ValueRef<'_>>>();
    binary::encode_row(&formats, values.into_iter(), &mut Writer::new(&mut binary_row)).unwrap();
    let mut out = BytesMut::new();
    convert::text_row_to_binary(&formats, &text_row, &mut Writer::new(&mut out)).unwrap();
    assert_eq!(out, binary_row);
    out.clear();
    convert::binary_row_to_text(&formats, &binary_row, &mut Writer::new(&mut out)).unwrap();
    assert_eq!(out, text_row);
}
