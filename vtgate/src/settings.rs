//! Session settings that travel with pooled backend connections.
//!
//! A session's system variables and user variables are two small maps from name to SQL literal. Each map
//! is interned per worker, so that "does this connection already have them" is one comparison. What
//! differs is sent as one `SET`, in the same write as the statement that needs it.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

/// Names and SQL literals, for example `sql_mode` -> `'ANSI_QUOTES'`.
pub type Variables = BTreeMap<Box<str>, Box<[u8]>>;

/// An interned map of variables.
#[derive(Debug)]
pub struct Settings {
    id: u64,
    variables: Variables,
}

impl PartialEq for Settings {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Settings {}

impl Settings {
    /// Identity within the worker: equal ids mean equal variables. 0 is the empty map.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The variables.
    pub fn variables(&self) -> &Variables {
        &self.variables
    }

    /// The literal of one variable.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.variables.get(name).map(|value| &**value)
    }
}

/// Which kind of variable a map holds, that is how `SET` names it and undoes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// System variables of the session: `@@session.x`, undone by `DEFAULT`.
    System,
    /// User variables: `` @`x` ``, undone by `NULL`.
    User,
}

/// Appends the assignments that turn a connection with `from` into one with `to`; nothing if they are equal.
/// The caller puts `SET ` in front. Assignments are separated by commas.
pub fn write_difference(kind: Kind, from: &Settings, to: &Settings, out: &mut Vec<u8>) {
    if from == to {
        return;
    }
    let mut assign = |name: &str, value: &[u8]| {
        if !out.is_empty() {
            out.push(b',');
        }
        match kind {
            Kind::System => out.extend_from_slice(b"@@session."),
            Kind::User => out.push(b'@'),
        }
        out.push(b'`');
        out.extend_from_slice(name.replace('`', "``").as_bytes());
        out.extend_from_slice(b"`=");
        out.extend_from_slice(value);
    };
    for name in from
        .variables
        .keys()
        .filter(|name| !to.variables.contains_key(*name))
    {
        let undone: &[u8] = if kind == Kind::System { b"DEFAULT" } else { b"NULL" };
        assign(name, undone);
    }
    let names = if kind == Kind::System {
        names_clause(from, to)
    } else {
        None
    };
    for (name, value) in &to.variables {
        let covered = names.is_some() && NAMES_VARIABLES.contains(&&**name);
        if !covered && from.variables.get(name) != Some(value) {
            assign(name, value);
        }
    }
    if let Some(names) = names {
        if !out.is_empty() {
            out.push(b',');
        }
        out.extend_from_slice(&names);
    }
}

/// The variables that SET NAMES sets together.
const NAMES_VARIABLES: [&str; 3] = [
    "character_set_client",
    "character_set_results",
    "collation_connection",
];

/// `NAMES charset COLLATE collation` where it says the same as the three variables: it also gives result columns that collation, as the
/// handshake of a client does.
fn names_clause(from: &Settings, to: &Settings) -> Option<Vec<u8>> {
    let [client, results, collation] = NAMES_VARIABLES.map(|name| to.get(name));
    let (client, collation) = (client.filter(|charset| Some(*charset) == results)?, collation?);
    let plain = |literal: &[u8]| literal.first() == Some(&b'\'');
    let changed = NAMES_VARIABLES.iter().any(|name| from.get(name) != to.get(name));
    (changed && plain(client) && plain(collation))
        .then(|| [b"NAMES ", client, b" COLLATE ", collation].concat())
}

/// Interns maps of variables; one table for each worker and [`Kind`].
#[derive(Debug)]
pub struct SettingsTable {
    by_variables: RefCell<HashMap<Variables, std::rc::Weak<Settings>>>,
    next_id: RefCell<u64>,
    empty: Rc<Settings>,
}

impl Default for SettingsTable {
    fn default() -> Self {
        Self {
            by_variables: RefCell::default(),
            next_id: RefCell::new(1),
            empty: Rc::new(Settings {
                id: 0,
                variables: Variables::new(),
            }),
        }
    }
}

impl SettingsTable {
    /// The empty map.
    pub fn empty(&self) -> Rc<Settings> {
        self.empty.clone()
    }

    /// The interned form of `variables`.
    pub fn intern(&self, variables: Variables) -> Rc<Settings> {
        if variables.is_empty() {
            return self.empty();
        }
        let mut by_variables = self.by_variables.borrow_mut();
        if let Some(settings) = by_variables.get(&variables).and_then(std::rc::Weak::upgrade) {
            return settings;
        }
        if by_variables.len() >= 1024 {
            by_variables.retain(|_, settings| settings.strong_count() > 0);
        }
        let mut next_id = self.next_id.borrow_mut();
        let settings = Rc::new(Settings {
            id: *next_id,
            variables: variables.clone(),
        });
        *next_id += 1;
        by_variables.insert(variables, Rc::downgrade(&settings));
        settings
    }

    /// `settings` with one variable changed; `None` removes it.
    pub fn with(&self, settings: &Settings, name: &str, value: Option<&[u8]>) -> Rc<Settings> {
        let mut variables = settings.variables.clone();
        match value {
            Some(value) => variables.insert(name.into(), value.into()),
            None => variables.remove(name),
        };
        self.intern(variables)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn difference(kind: Kind, from: &Settings, to: &Settings) -> String {
        let mut out = Vec::new();
        write_difference(kind, from, to, &mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn equal_maps_are_one() {
        let table = SettingsTable::default();
        let a = table.with(&table.empty(), "sql_mode", Some(b"''"));
        let b = table.with(&table.empty(), "sql_mode", Some(b"''"));
        assert_eq!(a.id(), b.id());
        assert_eq!(table.with(&a, "sql_mode", None).id(), 0);
    }

    #[test]
    fn a_difference_sets_and_undoes() {
        let table = SettingsTable::default();
        let a = table.with(&table.empty(), "sql_mode", Some(b"''"));
        let b = table.with(&table.empty(), "time_zone", Some(b"'+00:00'"));
        assert_eq!(difference(Kind::System, &a, &a), "");
        assert_eq!(
            difference(Kind::System, &a, &b),
            "@@session.`sql_mode`=DEFAULT,@@session.`time_zone`='+00:00'"
        );
        assert_eq!(difference(Kind::User, &b, &table.empty()), "@`time_zone`=NULL");
    }

    #[test]
    fn a_client_character_set_is_set_as_a_whole() {
        let table = SettingsTable::default();
        let mut settings = table.empty();
        for (name, value) in [
            ("character_set_client", &b"'latin1'"[..]),
            ("character_set_results", b"'latin1'"),
            ("collation_connection", b"'latin1_swedish_ci'"),
            ("sql_notes", b"0"),
        ] {
            settings = table.with(&settings, name, Some(value));
        }
        assert_eq!(
            difference(Kind::System, &table.empty(), &settings),
            "@@session.`sql_notes`=0,NAMES 'latin1' COLLATE 'latin1_swedish_ci'"
        );
        let without_results = table.with(&settings, "character_set_results", Some(b"NULL"));
        assert_eq!(
            difference(Kind::System, &settings, &without_results),
            "@@session.`character_set_results`=NULL"
        );
    }

    #[test]
    fn names_cannot_break_out_of_their_quotes() {
        let table = SettingsTable::default();
        let a = table.with(&table.empty(), "a`=1, @b", Some(b"2"));
        assert_eq!(difference(Kind::User, &table.empty(), &a), "@`a``=1, @b`=2");
    }
}
