//! Lists of statements for the differential test: written ones, odd routing values, and generated ones.

pub mod generate;

use mysql_async::Value;

/// A statement of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// Its text.
    pub text: String,
    /// Parameters; empty: it is sent as text.
    pub params: Vec<Value>,
    /// Whether the order of the rows counts.
    pub ordered: bool,
    /// Whether the gateway may say that it does not support this yet (1235).
    pub may_refuse: bool,
    /// Where it is in its list.
    pub line: usize,
}

/// Reads a list: statements end with `;` at the end of a line, `#` at the beginning of a line is a comment, and a line
/// `#? refuse` allows 1235 for the next statement. Order counts where the last clause is ORDER BY, with or without LIMIT.
pub fn list(text: &str) -> Vec<Statement> {
    let mut found = Vec::new();
    let (mut current, mut may_refuse, mut first) = (String::new(), false, 0);
    for (index, line) in text.lines().enumerate() {
        if current.is_empty() {
            first = index + 1;
            if line.trim() == "#? refuse" {
                may_refuse = true;
                continue;
            }
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
        } else {
            current.push('\n');
        }
        current.push_str(line);
        if let Some(end) = current.strip_suffix(';') {
            let text = end.to_owned();
            let ordered = is_ordered(&text);
            found.push(Statement {
                text,
                params: Vec::new(),
                ordered,
                may_refuse,
                line: first,
            });
            current.clear();
            may_refuse = false;
        }
    }
    found
}

/// Whether the statement sorts its result: ORDER BY outside of parentheses.
fn is_ordered(text: &str) -> bool {
    let mut depth = 0_i32;
    let mut outside = String::new();
    for character in text.chars() {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ if depth == 0 => outside.push(character),
            _ => {}
        }
    }
    outside.to_ascii_lowercase().contains("order by")
}

/// Ways to write a value that a vindex could hash wrongly (design: a routing value is the value as the column stores it).
pub const ODD_LITERALS: &[&str] = &[
    "1",
    "'1'",
    "'1abc'",
    "' 1'",
    "'1 '",
    "'1e0'",
    "'01'",
    "'+1'",
    "'1.0'",
    "'1.5'",
    "1.0",
    "1.5",
    "0.5",
    "1e0",
    "10e-1",
    ".1e1",
    "1.",
    "b'1'",
    "0b1",
    "b'00110001'",
    "TRUE",
    "FALSE",
    "0x31",
    "x'31'",
    "X'0001'",
    "0x1",
    "NULL",
    "'NULL'",
    "''",
    "'abc'",
    "-1",
    "- 1",
    "-1.0",
    "'-1'",
    "+1",
    "0",
    "-0",
    "'0'",
    "_utf8mb4'1'",
    "_binary'1'",
    "_latin1'1'",
    "N'1'",
    "\"1\"",
    "'1' '0'",
    "1+0",
    "(1)",
    "2-1",
    "CAST('1' AS CHAR)",
    "CAST(1 AS UNSIGNED)",
    "DATE'2024-01-01'",
    "TIMESTAMP'2024-01-01 00:00:00'",
    "TIME'00:00:01'",
    "'\\0'",
    "'1\\0'",
    "'\\t1'",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "-9223372036854775808",
    "-9223372036854775809",
    "1e19",
    "1e400",
    "'9223372036854775807'",
    "9007199254740993",
    "9007199254740993e0",
    "9007199254740993.0",
    "/* one */ 1",
    "1 -- one\n",
    "1 # one\n",
    "/*! 1 */",
    "1 COLLATE utf8mb4_bin",
    "'1' COLLATE utf8mb4_bin",
    "BINARY '1'",
];

/// The same for string columns.
pub const ODD_STRINGS: &[&str] = &[
    "'alice'",
    "'ALICE'",
    "'Alice'",
    "'alice '",
    "' alice'",
    "'\u{e4}lice'",
    "'stra\u{df}e'",
    "'strasse'",
    "'STRASSE'",
    "'\u{e9}'",
    "'e\u{301}'",
    "'e'",
    "'5'",
    "5",
    "05",
    "'05'",
    "5.0",
    "'5abc'",
    "0",
    "''",
    "NULL",
    "0x616c696365",
    "x'616C696365'",
    "_latin1 x'E9'",
    "_binary'alice'",
    "b'01100001'",
    "'ali' 'ce'",
    "\"alice\"",
    "N'alice'",
    "_utf8mb4'alice'",
    "'ali\\ce'",
    "'al\\'ice'",
    "'\\0'",
    "'a\\0'",
    "'\u{1f600}'",
    "'alice' COLLATE utf8mb4_bin",
    "'alice' COLLATE utf8mb4_0900_as_cs",
    "'alice' COLLATE utf8mb4_general_ci",
    "CONCAT('ali', 'ce')",
    "CAST('alice' AS BINARY)",
    "TRUE",
    "'\u{fb01}'",
    "'fi'",
    "'\u{ff21}'",
    "'a'",
    "'\u{130}'",
    "'i'",
    "'\u{b2}'",
    "'2'",
    "'ae'",
    "'\u{e6}'",
    "'-'",
    "'\u{ad}'",
    "'\u{200b}'",
];

/// Parameters of every type that drivers send.
pub fn odd_params() -> Vec<Value> {
    let bytes = |text: &str| Value::Bytes(text.as_bytes().to_vec());
    vec![
        Value::Int(1),
        Value::Int(-1),
        Value::Int(0),
        Value::Int(i64::MAX),
        Value::Int(i64::MIN),
        Value::UInt(1),
        Value::UInt(1 << 63),
        Value::UInt(u64::MAX),
        Value::Double(1.0),
        Value::Double(1.5),
        Value::Double(-0.0),
        Value::Double(9_007_199_254_740_993.0),
        Value::Double(1e19),
        Value::Float(1.0),
        Value::NULL,
        bytes("1"),
        bytes("1abc"),
        bytes(" 1"),
        bytes("1e0"),
        bytes("1.0"),
        bytes(""),
        bytes("alice"),
        bytes("ALICE"),
        bytes("5"),
        bytes("05"),
        Value::Bytes(vec![0xE9]),
        Value::Date(2024, 1, 1, 0, 0, 0, 0),
        Value::Time(false, 0, 0, 0, 1, 0),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read() {
        let text = "# a list\nSELECT 1;\n\n#? refuse\nSELECT a\nFROM t ORDER BY (SELECT 1);\nSELECT (SELECT 1 ORDER BY 1);\n";
        let found = list(text);
        let seen: Vec<_> = found
            .iter()
            .map(|s| (s.line, s.text.as_str(), s.ordered, s.may_refuse))
            .collect();
        assert_eq!(
            seen,
            [
                (2, "SELECT 1", false, false),
                (5, "SELECT a\nFROM t ORDER BY (SELECT 1)", true, true),
                (7, "SELECT (SELECT 1 ORDER BY 1)", false, false),
            ]
        );
    }
}
