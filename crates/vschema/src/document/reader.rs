//! Walks a JSON value, knows the path of each part, and collects what is wrong.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::{Map, Value};

/// What is wrong with a document, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentError {
    /// Where, as in `tables.customer.column_vindexes[0].name`; empty for the document as a whole.
    pub path: String,
    /// What.
    pub message: String,
}

impl DocumentError {
    pub(crate) fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            message: message.into(),
        }
    }
}

impl fmt::Display for DocumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.is_empty() {
            true => f.write_str(&self.message),
            false => write!(f, "{}: {}", self.path, self.message),
        }
    }
}

impl std::error::Error for DocumentError {}

/// The errors found so far.
pub(super) type Errors = RefCell<Vec<DocumentError>>;

/// A part of the document and its path.
#[derive(Clone)]
pub(super) struct Node<'a> {
    value: &'a Value,
    path: String,
    errors: &'a Errors,
}

/// A JSON object whose fields are taken one by one.
pub(super) struct Fields<'a> {
    map: &'a Map<String, Value>,
    path: String,
    errors: &'a Errors,
    known: BTreeSet<&'static str>,
}

/// The path of a field below another; names that would not read as one word stand in quotes.
pub(crate) fn child_path(path: &str, name: &str) -> String {
    let plain = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "_-$".contains(c));
    let name = if plain {
        name.to_owned()
    } else {
        format!("{name:?}")
    };
    match path.is_empty() {
        true => name,
        false => format!("{path}.{name}"),
    }
}

impl<'a> Node<'a> {
    pub(super) fn root(value: &'a Value, errors: &'a Errors) -> Self {
        Self {
            value,
            path: String::new(),
            errors,
        }
    }

    fn expected<T: Default>(&self, what: &str) -> T {
        let found = match self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "a list",
            Value::Object(_) => "an object",
        };
        self.error(format!("expected {what}, found {found}"));
        T::default()
    }

    pub(super) fn error(&self, message: impl Into<String>) {
        self.errors
            .borrow_mut()
            .push(DocumentError::new(self.path.clone(), message));
    }

    /// The fields of an object, None (and an error) for anything else.
    pub(super) fn fields(&self) -> Option<Fields<'a>> {
        match self.value {
            Value::Object(map) => {
                let known = BTreeSet::new();
                Some(Fields {
                    map,
                    path: self.path.clone(),
                    errors: self.errors,
                    known,
                })
            }
            _ => self.expected("an object"),
        }
    }

    /// An object whose field names are free, as in `vindexes`.
    pub(super) fn entries<T>(&self, mut decode: impl FnMut(Node<'a>) -> T) -> BTreeMap<String, T> {
        let Value::Object(map) = self.value else {
            return self.expected("an object");
        };
        let node = |(name, value): (&String, &'a Value)| {
            let path = child_path(&self.path, name);
            (
                name.clone(),
                decode(Node {
                    value,
                    path,
                    errors: self.errors,
                }),
            )
        };
        map.iter().map(node).collect()
    }

    pub(super) fn list<T>(&self, mut decode: impl FnMut(Node<'a>) -> T) -> Vec<T> {
        let Value::Array(items) = self.value else {
            return self.expected("a list");
        };
        let node = |(i, value): (usize, &'a Value)| {
            decode(Node {
                value,
                path: format!("{}[{i}]", self.path),
                errors: self.errors,
            })
        };
        items.iter().enumerate().map(node).collect()
    }

    pub(super) fn string(self) -> String {
        match self.value {
            Value::String(text) => text.clone(),
            _ => self.expected("a string"),
        }
    }

    /// A param: a string, though YAML turns unquoted ones into numbers and booleans.
    pub(super) fn param(self) -> String {
        match self.value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(value) => value.to_string(),
            _ => self.expected("a string"),
        }
    }

    pub(super) fn boolean(self) -> bool {
        match self.value {
            Value::Bool(value) => *value,
            _ => self.expected("true or false"),
        }
    }

    /// An int32, which proto JSON also takes as a string.
    pub(super) fn int32(self) -> i32 {
        let parsed = match self.value {
            Value::Number(number) => number.as_i64().and_then(|number| i32::try_from(number).ok()),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        match parsed {
            Some(number) => number,
            None => self.expected("a 32-bit number"),
        }
    }

    /// The number of an enum that is given as one.
    pub(super) fn enum_number(&self) -> Option<i64> {
        self.value.as_i64()
    }
}

impl<'a> Fields<'a> {
    /// Takes a field by its snake_case name, or by the same name in camelCase; null counts as missing.
    pub(super) fn get(&mut self, name: &'static str) -> Option<Node<'a>> {
        self.known.insert(name);
        let camel = camel_case(name);
        let (value, written) = match (self.map.get(name), self.map.get(&camel)) {
            (Some(_), Some(_)) if camel != name => {
                let message = format!("is given twice, as {name} and as {camel}");
                self.errors
                    .borrow_mut()
                    .push(DocumentError::new(child_path(&self.path, name), message));
                return None;
            }
            (Some(value), _) => (value, name),
            (None, Some(value)) => (value, camel.as_str()),
            (None, None) => return None,
        };
        match value {
            Value::Null => None,
            _ => Some(Node {
                value,
                path: child_path(&self.path, written),
                errors: self.errors,
            }),
        }
    }

    /// Names every field that nothing asked for.
    pub(super) fn finish(self) {
        let known: BTreeSet<String> = self
            .known
            .iter()
            .flat_map(|name| [(*name).to_owned(), camel_case(name)])
            .collect();
        for name in self.map.keys().filter(|name| !known.contains(*name)) {
            let names: Vec<&str> = self.known.iter().copied().collect();
            let message = format!("unknown field; known are {}", names.join(", "));
            self.errors
                .borrow_mut()
                .push(DocumentError::new(child_path(&self.path, name), message));
        }
    }
}

/// `column_vindexes` as `columnVindexes`.
fn camel_case(name: &str) -> String {
    let mut camel = String::with_capacity(name.len());
    let mut upper = false;
    for c in name.chars() {
        match c {
            '_' => upper = true,
            _ if upper => {
                camel.push(c.to_ascii_uppercase());
                upper = false;
            }
            _ => camel.push(c),
        }
    }
    camel
}
