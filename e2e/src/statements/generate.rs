//! Statements by chance, from a seed.
//!
//! They are made so that MySQL's answer is determined: no ORDER BY with ties under LIMIT, no sum of floating-point numbers, no
//! column outside of GROUP BY that is not an aggregate, no choice among values that a collation takes for equal, no error that
//! depends on which rows are evaluated.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use super::{ODD_LITERALS, Statement};

/// Makes statements.
#[derive(Debug)]
pub struct Generator {
    rng: StdRng,
}

const NUMBERS: &[&str] = &["id", "kind", "score", "total"];
const TEXTS: &[&str] = &["name", "email"];
const ALL: &[&str] = &[
    "id", "name", "email", "kind", "score", "f", "born", "seen", "total",
];
const COMPARISONS: &[&str] = &["=", "<>", "<", "<=", ">", ">=", "<=>"];
const AGGREGATES: &[&str] = &[
    "COUNT(*)",
    "COUNT(kind)",
    "COUNT(DISTINCT kind)",
    "SUM(score)",
    "SUM(kind)",
    "MIN(score)",
    "MAX(score)",
    "AVG(score)",
    "AVG(kind)",
    "MIN(email)",
    "MAX(born)",
    "MIN(seen)",
    "MAX(total)",
    "SUM(total)",
    "COUNT(DISTINCT email)",
];

impl Generator {
    /// The same seed makes the same statements.
    pub fn new(seed: u64) -> Self {
        Self {
            rng: StdRng::seed_from_u64(seed),
        }
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from.choose(&mut self.rng).copied().unwrap_or("1")
    }

    fn chance(&mut self, percent: u32) -> bool {
        self.rng.random_range(0..100) < percent
    }

    /// A statement that reads or writes `users` and `orders`.
    pub fn statement(&mut self) -> Statement {
        let text = match self.rng.random_range(0..100) {
            0..45 => self.select(),
            45..65 => self.aggregate(),
            65..80 => self.join(),
            80..87 => self.insert(),
            87..95 => self.update(),
            _ => self.delete(),
        };
        let ordered = super::is_ordered(&text);
        Statement {
            text,
            params: Vec::new(),
            ordered,
            may_refuse: true,
            line: 0,
        }
    }

    fn number(&mut self) -> String {
        match self.rng.random_range(0..10) {
            0 => self
                .pick(ODD_LITERALS)
                .trim_end()
                .replace("1 -- one", "1")
                .replace("1 # one", "1"),
            1 => format!("'{}'", self.rng.random_range(-2..40)),
            2 => format!("{}.0", self.rng.random_range(-2..40)),
            3 => "NULL".to_owned(),
            _ => self.rng.random_range(-2..40).to_string(),
        }
    }

    fn text(&mut self) -> String {
        let texts = [
            "'alice'",
            "'ALICE'",
            "'Bob'",
            "'bob '",
            "'zo\u{eb}'",
            "'zoe'",
            "''",
            "'u7@x.org'",
            "'U7@X.ORG'",
            "'name 5'",
            "5",
            "NULL",
        ];
        self.pick(&texts).to_owned()
    }

    fn comparison(&mut self, prefix: &str) -> String {
        let operator = self.pick(COMPARISONS);
        match self.rng.random_range(0..8) {
            0 => format!("{prefix}{} {operator} {}", self.pick(TEXTS), self.text()),
            1 => {
                let (low, high) = (self.number(), self.number());
                format!("{prefix}{} BETWEEN {low} AND {high}", self.pick(NUMBERS))
            }
            2 => format!(
                "{prefix}{} IS {}NULL",
                self.pick(ALL),
                if self.rng.random() { "NOT " } else { "" }
            ),
            3 => {
                let count = self.rng.random_range(1..6);
                let values: Vec<String> = (0..count).map(|_| self.number()).collect();
                let not = if self.chance(20) { "NOT " } else { "" };
                format!("{prefix}id {not}IN ({})", values.join(", "))
            }
            4 => format!(
                "{prefix}name LIKE {}",
                self.pick(&["'a%'", "'%o%'", "'_ob'", "'NAME%'", "'%'"])
            ),
            5 => format!("{prefix}id = {}", self.number()),
            _ => format!("{prefix}{} {operator} {}", self.pick(NUMBERS), self.number()),
        }
    }

    fn condition(&mut self, prefix: &str) -> String {
        let first = self.comparison(prefix);
        match self.rng.random_range(0..6) {
            0 => format!("{first} AND {}", self.comparison(prefix)),
            1 => format!("{first} OR {}", self.comparison(prefix)),
            2 => format!("NOT ({first})"),
            3 => format!(
                "({first} OR {}) AND {}",
                self.comparison(prefix),
                self.comparison(prefix)
            ),
            _ => first,
        }
    }

    fn condition_or_none(&mut self, prefix: &str) -> String {
        if self.chance(80) {
            format!(" WHERE {}", self.condition(prefix))
        } else {
            String::new()
        }
    }

    fn expression(&mut self) -> String {
        let column = self.pick(&["kind", "score"]);
        match self.rng.random_range(0..8) {
            0 => format!("{column} + 1"),
            1 => format!("{column} * 2 AS twice"),
            2 => "CONCAT(name, '-', id)".to_owned(),
            3 => "UPPER(name)".to_owned(),
            4 => "IFNULL(kind, -1)".to_owned(),
            5 => "CASE WHEN kind > 2 THEN 'many' ELSE 'few' END".to_owned(),
            _ => self.pick(ALL).to_owned(),
        }
    }

    fn select(&mut self) -> String {
        let count = self.rng.random_range(1..4);
        let mut list: Vec<String> = (0..count).map(|_| self.expression()).collect();
        let condition = self.condition_or_none("");
        if self.chance(15) {
            let column = self.pick(&["kind", "email", "born", "score"]);
            return format!("SELECT DISTINCT {column} FROM users{condition}");
        }
        if self.chance(10) {
            list = vec!["*".to_owned()];
        }
        let list = list.join(", ");
        // The key last makes the order total.
        match self.rng.random_range(0..4) {
            0 => format!("SELECT {list} FROM users{condition}"),
            1 => {
                let (column, way) = (self.pick(ALL), self.pick(&["", " DESC", " ASC"]));
                format!("SELECT {list} FROM users{condition} ORDER BY {column}{way}, id")
            }
            2 => {
                let (column, way) = (self.pick(ALL), self.pick(&["", " DESC"]));
                let limit = self.rng.random_range(0..12);
                format!("SELECT {list} FROM users{condition} ORDER BY {column}{way}, id LIMIT {limit}")
            }
            _ => {
                let (offset, limit) = (self.rng.random_range(0..10), self.rng.random_range(0..10));
                format!("SELECT {list} FROM users{condition} ORDER BY id DESC LIMIT {limit} OFFSET {offset}")
            }
        }
    }

    fn aggregate(&mut self) -> String {
        let count = self.rng.random_range(1..4);
        let aggregates: Vec<&str> = (0..count).map(|_| self.pick(AGGREGATES)).collect();
        let (aggregates, first) = (
            aggregates.join(", "),
            aggregates.first().copied().unwrap_or("COUNT(*)"),
        );
        let condition = self.condition_or_none("");
        if self.chance(30) {
            return format!("SELECT {aggregates} FROM users{condition}");
        }
        let group = self.pick(&["kind", "kind, born", "born", "id", "total"]);
        let having = match self.rng.random_range(0..4) {
            0 => " HAVING COUNT(*) > 1".to_owned(),
            1 => format!(" HAVING {first} IS NOT NULL"),
            _ => String::new(),
        };
        let order = if self.chance(60) {
            format!(" ORDER BY {group}")
        } else {
            String::new()
        };
        let limit = if !order.is_empty() && self.chance(30) {
            " LIMIT 3"
        } else {
            ""
        };
        format!("SELECT {group}, {aggregates} FROM users{condition} GROUP BY {group}{having}{order}{limit}")
    }

    fn join(&mut self) -> String {
        let condition = self.condition_or_none("u.");
        let kind = self.pick(&["JOIN", "LEFT JOIN", "INNER JOIN"]);
        match self.rng.random_range(0..5) {
            0 => format!(
                "SELECT u.id, u.name, o.id, o.amount FROM users u {kind} orders o ON o.user_id = u.id{condition} ORDER BY u.id, o.id"
            ),
            1 => format!(
                "SELECT u.id, COUNT(o.id), SUM(o.amount) FROM users u {kind} orders o ON o.user_id = u.id{condition} GROUP BY u.id"
            ),
            2 => format!(
                "SELECT u.name, k.label FROM users u {kind} kinds k ON k.id = u.kind{condition} ORDER BY u.id, k.id"
            ),
            3 => format!(
                "SELECT id FROM users u WHERE EXISTS (SELECT 1 FROM orders o WHERE o.user_id = u.id AND o.amount > {})",
                self.rng.random_range(0..50)
            ),
            _ => format!("SELECT COUNT(*) FROM users u {kind} orders o ON o.user_id = u.id{condition}"),
        }
    }

    fn insert(&mut self) -> String {
        let rows: Vec<String> = (0..self.rng.random_range(1..4))
            .map(|_| {
                let id = self.rng.random_range(0..60);
                format!(
                    "({id}, {}, {}, {}.5)",
                    self.pick(&["'new'", "'NEW'", "NULL"]),
                    self.rng.random_range(0..5),
                    id
                )
            })
            .collect();
        let verb = self.pick(&["INSERT", "INSERT IGNORE", "REPLACE", "INSERT"]);
        let rows = rows.join(", ");
        let update = if verb == "INSERT" && self.chance(40) {
            " ON DUPLICATE KEY UPDATE kind = kind + 1, name = VALUES(name)"
        } else {
            ""
        };
        format!("{verb} INTO users (id, name, kind, score) VALUES {rows}{update}")
    }

    fn update(&mut self) -> String {
        let set = self.pick(&[
            "kind = kind + 1",
            "name = 'changed'",
            "score = score * 2",
            "name = UPPER(name), kind = NULL",
            "total = total + kind",
        ]);
        format!("UPDATE users SET {set} WHERE {}", self.condition(""))
    }

    fn delete(&mut self) -> String {
        let id = self.rng.random_range(0..60);
        if self.chance(50) {
            format!("DELETE FROM users WHERE id = {id}")
        } else {
            format!(
                "DELETE FROM orders WHERE user_id IN ({id}, {}) AND id > {}",
                id + 1,
                self.rng.random_range(0..4)
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_makes_the_same_statements() {
        let made = |seed| {
            let mut generator = Generator::new(seed);
            (0..50).map(|_| generator.statement().text).collect::<Vec<_>>()
        };
        assert_eq!(made(1), made(1));
        assert_ne!(made(1), made(2));
    }
}
