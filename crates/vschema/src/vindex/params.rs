//! The params of a vindex: strings by name, each taken by the type that knows it.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

/// Opens a file that a vindex param names.
pub type ReadFile<'a> = &'a dyn Fn(&str) -> io::Result<Vec<u8>>;

/// Reads a file of this machine, as [`ReadFile`] asks for it.
///
/// # Errors
/// As [`std::fs::read`].
pub fn local_file(path: &str) -> io::Result<Vec<u8>> {
    std::fs::read(path)
}

/// What is wrong with a param.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ParamError {
    /// The param's name; empty when it is about all of them.
    pub param: String,
    /// What is wrong.
    pub message: String,
}

impl ParamError {
    pub(crate) fn new(param: &str, message: impl Into<String>) -> Self {
        Self {
            param: param.to_owned(),
            message: message.into(),
        }
    }
}

/// Hands out params and remembers which were asked for.
#[derive(Clone)]
pub(super) struct Params<'a> {
    values: &'a BTreeMap<String, String>,
    known: BTreeSet<&'static str>,
    read_file: ReadFile<'a>,
}

impl<'a> Params<'a> {
    pub(super) fn new(values: &'a BTreeMap<String, String>, read_file: ReadFile<'a>) -> Self {
        Self {
            values,
            known: BTreeSet::new(),
            read_file,
        }
    }

    pub(super) fn optional(&mut self, name: &'static str) -> Option<&'a str> {
        self.known.insert(name);
        self.values.get(name).map(String::as_str)
    }

    pub(super) fn required(&mut self, name: &'static str) -> Result<&'a str, ParamError> {
        self.optional(name)
            .ok_or_else(|| ParamError::new(name, "is required"))
    }

    pub(super) fn boolean(&mut self, name: &'static str) -> Result<Option<bool>, ParamError> {
        match self.optional(name) {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(_) => Err(ParamError::new(name, "expected true or false")),
        }
    }

    /// The content of the file that the param names.
    pub(super) fn file(&mut self, name: &'static str) -> Result<Vec<u8>, ParamError> {
        let path = self.required(name)?;
        (self.read_file)(path)
            .map_err(|error| ParamError::new(name, format!("cannot read \"{path}\": {error}")))
    }

    /// The params that nobody asked for and that are not in `also_known`.
    pub(super) fn unknown(&self, also_known: &[&str]) -> Vec<String> {
        let unknown =
            |name: &&String| !self.known.contains(name.as_str()) && !also_known.contains(&name.as_str());
        self.values.keys().filter(unknown).cloned().collect()
    }
}
