use std::cmp::Ordering;

use num_bigint::BigInt;
use proptest::prelude::*;

use super::number::double_text;
use super::*;
use crate::plan::{Accumulate, Aggregate, AggregateColumn, Col, Proxy, SortKey};

const INT: ColumnInfo = ColumnInfo {
    kind: ColumnKind::Integer,
    decimals: 0,
};
const TEXT: ColumnInfo = ColumnInfo {
    kind: ColumnKind::Text,
    decimals: 0,
};
const BYTES: ColumnInfo = ColumnInfo {
    kind: ColumnKind::Bytes,
    decimals: 0,
};
const DOUBLE: ColumnInfo = ColumnInfo {
    kind: ColumnKind::Double,
    decimals: 31,
};

fn decimal(decimals: u8) -> ColumnInfo {
    ColumnInfo {
        kind: ColumnKind::Decimal,
        decimals,
    }
}

fn row(cells: &[&str]) -> Row {
    Row::from_cells(cells.iter().map(|cell| {
        if *cell == "NULL" {
            None
        } else {
            Some(cell.as_bytes())
        }
    }))
}

fn cells(row: &Row) -> Vec<String> {
    let cell = |column| {
        row.cell(column).map_or("NULL".to_owned(), |cell| {
            String::from_utf8_lossy(cell).into_owned()
        })
    };
    (0..row.len()).map(cell).collect()
}

fn key(value: Col, proxy: Option<Proxy>) -> SortKey {
    SortKey {
        value,
        proxy,
        descending: false,
    }
}

fn group(aggregate: &Aggregate, columns: &[ColumnInfo], hidden: u16, rows: &[&[&str]]) -> Vec<Vec<String>> {
    let mut groups = Groups::new(aggregate, columns, hidden).unwrap();
    rows.iter().for_each(|cells| groups.push(row(cells)));
    groups.finish().map(|row| cells(&row)).collect()
}

fn accumulate(column: Col, how: Accumulate) -> AggregateColumn {
    AggregateColumn { column, how }
}

#[test]
fn doubles_print_as_mysql_prints_them() {
    // Each checked on MySQL 9.7.4.
    for (number, text) in [
        (1e14, "100000000000000"),
        (1e15, "1e15"),
        (1.234_567_890_123_456_8e17, "1.2345678901234568e17"),
        (1_234_567_890_123_456.7, "1234567890123456.8"),
        (1e-15, "0.000000000000001"),
        (1e-16, "1e-16"),
        (1.25e-10, "0.000000000125"),
        (0.1 + 0.2, "0.30000000000000004"),
        (1.5e300, "1.5e300"),
        (-1e15, "-1e15"),
        (1.234_567_890_123_456e-5, "0.00001234567890123456"),
        (0.0, "0"),
    ] {
        assert_eq!(double_text(number), text);
    }
}

#[test]
fn groups_add_up() {
    let aggregate = Aggregate {
        keys: Box::new([key(Col::Visible(0), Some(Proxy::Weight(Col::Hidden(0))))]),
        columns: Box::new([
            accumulate(Col::Visible(1), Accumulate::Count),
            accumulate(Col::Visible(2), Accumulate::Sum),
            accumulate(
                Col::Visible(3),
                Accumulate::Average {
                    sum: Col::Hidden(1),
                    count: Col::Hidden(2),
                },
            ),
        ]),
    };
    let columns = [TEXT, INT, decimal(2), decimal(6), BYTES, decimal(2), INT];
    let rows: [&[&str]; 4] = [
        &["Ann", "2", "1.50", "0.750000", "ANN", "1.50", "2"],
        &["ann", "1", "2.25", "2.250000", "ANN", "2.25", "1"],
        &["NULL", "1", "NULL", "NULL", "NULL", "NULL", "0"],
        &["NULL", "3", "NULL", "NULL", "NULL", "NULL", "0"],
    ];
    assert_eq!(
        group(&aggregate, &columns, 3, &rows),
        [
            ["Ann", "3", "3.75", "1.250000", "ANN", "1.50", "2"],
            ["NULL", "4", "NULL", "NULL", "NULL", "NULL", "0"],
        ]
    );
}

#[test]
fn extremes_take_their_stand_in_along() {
    let aggregate = Aggregate {
        keys: Box::default(),
        columns: Box::new([
            accumulate(
                Col::Visible(0),
                Accumulate::Min {
                    proxy: Some(Proxy::Weight(Col::Hidden(0))),
                },
            ),
            accumulate(Col::Visible(1), Accumulate::Max { proxy: None }),
        ]),
    };
    let rows: [&[&str]; 3] = [&["b", "9", "B"], &["NULL", "NULL", "NULL"], &["a", "10", "A"]];
    assert_eq!(
        group(&aggregate, &[TEXT, INT, BYTES], 1, &rows),
        [["a", "10", "A"]]
    );
}

#[test]
fn bits_and_doubles_combine() {
    let aggregate = Aggregate {
        keys: Box::default(),
        columns: Box::new([
            accumulate(Col::Visible(0), Accumulate::BitAnd),
            accumulate(Col::Visible(1), Accumulate::BitXor),
            accumulate(Col::Visible(2), Accumulate::Sum),
        ]),
    };
    let rows: [&[&str]; 2] = [&["18446744073709551615", "5", "0.1"], &["12", "1", "0.2"]];
    assert_eq!(
        group(&aggregate, &[INT, INT, DOUBLE], 0, &rows),
        [["12", "4", "0.30000000000000004"]]
    );
}

#[test]
fn strings_without_weights_and_json_are_refused() {
    for kind in [ColumnKind::Text, ColumnKind::Json, ColumnKind::Float] {
        let error = RowOrder::new(
            &[key(Col::Visible(0), None)],
            &[ColumnInfo { kind, decimals: 0 }],
            0,
        )
        .unwrap_err();
        assert_eq!(error.errno, 1235);
    }
}

#[test]
fn rows_order_by_type() {
    let compare = |kind, left: &str, right: &str| {
        let order = RowOrder::new(
            &[key(Col::Visible(0), None)],
            &[ColumnInfo { kind, decimals: 0 }],
            0,
        )
        .unwrap();
        order.compare(&row(&[left]), &row(&[right]))
    };
    assert_eq!(compare(ColumnKind::Integer, "9", "10"), Ordering::Less);
    assert_eq!(compare(ColumnKind::Integer, "NULL", "-10"), Ordering::Less);
    assert_eq!(compare(ColumnKind::Decimal, "1.50", "1.5"), Ordering::Equal);
    assert_eq!(
        compare(ColumnKind::Double, "1e15", "999999999999999"),
        Ordering::Greater
    );
    assert_eq!(
        compare(ColumnKind::Time, "-10:00:00", "-09:00:00"),
        Ordering::Less
    );
    assert_eq!(
        compare(ColumnKind::Time, "100:00:00", "99:59:59.5"),
        Ordering::Greater
    );
    assert_eq!(
        compare(ColumnKind::Date, "2026-01-02", "2026-01-10"),
        Ordering::Less
    );
}

#[test]
fn distinct_folds_by_weight() {
    let keys = [key(Col::Visible(0), Some(Proxy::Weight(Col::Hidden(0))))];
    let mut distinct = Distinct::new(&keys, &[TEXT, INT, BYTES], 1).unwrap();
    assert!(distinct.insert(&row(&["a", "1", "A"])));
    assert!(!distinct.insert(&row(&["A", "1", "A"])));
    assert!(distinct.insert(&row(&["A", "2", "A"])));
    assert!(distinct.insert(&row(&["NULL", "1", "NULL"])));
    assert!(!distinct.insert(&row(&["NULL", "1", "NULL"])));
}

fn big_decimal() -> impl Strategy<Value = (BigInt, u32, String)> {
    (any::<bool>(), "[0-9]{1,40}", 0u32..12).prop_map(|(negative, digits, scale)| {
        let padded = format!("{digits:0>width$}", width = scale as usize + 1);
        let (whole, fraction) = padded.split_at(padded.len() - scale as usize);
        let number = BigInt::parse_bytes(digits.as_bytes(), 10).unwrap();
        let sign = if negative { "-" } else { "" };
        let text = if scale == 0 {
            format!("{sign}{whole}")
        } else {
            format!("{sign}{whole}.{fraction}")
        };
        (if negative { -number } else { number }, scale, text)
    })
}

proptest! {
    #[test]
    fn sums_and_order_are_exact((left, ls, lt) in big_decimal(), (right, rs, rt) in big_decimal()) {
        let scale = ls.max(rs);
        let at = |number: &BigInt, own: u32| number * BigInt::from(10).pow(scale - own);
        let (one, other) = (Decimal::parse(lt.as_bytes()).unwrap(), Decimal::parse(rt.as_bytes()).unwrap());
        let sum = one.add(&other).to_string().replace('.', "");
        prop_assert_eq!(BigInt::parse_bytes(sum.as_bytes(), 10).unwrap(), at(&left, ls) + at(&right, rs));
        prop_assert_eq!(one.cmp(&other), at(&left, ls).cmp(&at(&right, rs)));
        let equal = one.canonical() == other.canonical();
        prop_assert_eq!(equal, at(&left, ls) == at(&right, rs));
    }

    #[test]
    fn quotients_round_half_up((number, scale, text) in big_decimal(), by in 1i64..1000, digits in 0u32..10) {
        let quotient = Decimal::parse(text.as_bytes()).unwrap().divide(&Decimal::integer(by.into()), digits).unwrap();
        // |quotient * by - number| <= half a unit of the last digit, all scaled to integers.
        let shown = BigInt::parse_bytes(quotient.to_string().replace('.', "").as_bytes(), 10).unwrap();
        let both = scale.max(digits);
        let ten = |power: u32| BigInt::from(10).pow(power);
        let error = shown * by * ten(both - digits) - number * ten(both - scale);
        prop_assert!(error.magnitude() * 2u32 <= (BigInt::from(by) * ten(both - digits)).magnitude().clone());
    }

    #[test]
    fn packets_round_trip(cells in proptest::collection::vec(proptest::option::of(proptest::collection::vec(any::<u8>(), 0..300)), 0..6)) {
        let row = Row::from_cells(cells.iter().map(|cell| cell.as_deref()));
        let mut packet = Vec::new();
        row.write_packet(cells.len(), &mut packet);
        let read = Row::from_packet(&packet, cells.len()).unwrap();
        for (column, cell) in cells.iter().enumerate() {
            prop_assert_eq!(read.cell(column), cell.as_deref());
        }
    }

    #[test]
    fn any_packet_is_read_or_refused(packet in proptest::collection::vec(any::<u8>(), 0..40), columns in 0usize..5) {
        let _ = Row::from_packet(&packet, columns);
    }

    #[test]
    fn order_and_identity_agree(left in "-?[0-9]{1,5}(\\.[0-9]{1,3})?", right in "-?[0-9]{1,5}(\\.[0-9]{1,3})?") {
        let order = RowOrder::new(&[key(Col::Visible(0), None)], &[decimal(3)], 0).unwrap();
        let (left, right) = (row(&[&left]), row(&[&right]));
        let identity = |row: &Row| {
            let mut bytes = Vec::new();
            order.identity(row, &mut bytes);
            bytes
        };
        prop_assert_eq!(order.compare(&left, &right) == Ordering::Equal, identity(&left) == identity(&right));
    }
}
