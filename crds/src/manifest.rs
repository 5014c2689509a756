//! Manifests: YAML files of one or more objects, as `kubectl apply` takes them.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Cursor;
use std::sync::OnceLock;

use kube::CustomResourceExt;
use serde_json::{Map, Value};
use vschema::vindex::local_file;

use crate::API_VERSION;
use crate::keyspace::{Keyspace, ResolvedKeyspace};
use crate::problem::Problem;
use crate::schema;

/// An object of a manifest, complete and checked.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Object {
    /// A keyspace, as it was written and what it means.
    Keyspace(Box<Keyspace>, Box<ResolvedKeyspace>),
}

impl Object {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Keyspace(..) => "Keyspace",
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Keyspace(keyspace, _) => keyspace.name(),
        }
    }
}

/// Something that is wrong with a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestProblem {
    /// Name of the file.
    pub source: String,
    /// Which of its documents, from 1; empty ones do not count. None for the file as a whole.
    pub document: Option<usize>,
    /// What and where.
    pub problem: Problem,
}

impl fmt::Display for ManifestProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.source)?;
        if let Some(document) = self.document {
            write!(f, "document {document}: ")?;
        }
        write!(f, "{}", self.problem)
    }
}

/// Everything that is wrong with the manifests, one line each; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestError {
    /// In the order of files and documents.
    pub problems: Vec<ManifestProblem>,
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ManifestError {}

/// Reads one file; `source` is its name in messages. Files that vindex params name are read from this
/// machine.
///
/// # Errors
/// Everything that is wrong with it; also when there is no object in it.
pub fn load(text: &str, source: &str) -> Result<Vec<Object>, ManifestError> {
    load_all([(source, text)])
}

/// Reads several files, given as name and content, whose objects belong together: no two may have one kind
/// and name.
///
/// # Errors
/// As [`load`].
pub fn load_all<'a>(
    files: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<Vec<Object>, ManifestError> {
    let mut loader = Loader::default();
    for (source, text) in files {
        loader.file(source, text);
    }
    if loader.problems.is_empty() {
        Ok(loader.objects)
    } else {
        Err(ManifestError {
            problems: loader.problems,
        })
    }
}

#[derive(Default)]
struct Loader {
    objects: Vec<Object>,
    /// File and document of each object by kind and name.
    seen: BTreeMap<(&'static str, String), (String, usize)>,
    problems: Vec<ManifestProblem>,
}

impl Loader {
    fn file(&mut self, source: &str, text: &str) {
        let mut documents = 0;
        for document in serde_saphyr::read::<_, Value>(&mut Cursor::new(text.as_bytes())) {
            documents += 1;
            let mut problems = Vec::new();
            match document {
                Ok(value) => self.document(source, documents, value, &mut problems),
                Err(error) => {
                    // The first line says what and where; more would be a picture of the text.
                    let message = error.without_snippet().to_string();
                    let message = message.lines().next().unwrap_or_default();
                    problems.push(Problem::new("", format!("not YAML: {message}")));
                }
            }
            self.problems
                .extend(problems.into_iter().map(|problem| ManifestProblem {
                    source: source.to_owned(),
                    document: Some(documents),
                    problem,
                }));
        }
        if documents == 0 {
            let problem = Problem::new("", "no object in it");
            self.problems.push(ManifestProblem {
                source: source.to_owned(),
                document: None,
                problem,
            });
        }
    }

    fn document(&mut self, source: &str, number: usize, value: Value, problems: &mut Vec<Problem>) {
        let Some(object) = read_object(value, problems) else {
            return;
        };
        let key = (object.kind(), object.name().to_owned());
        if let Some((first, document)) = self.seen.get(&key) {
            let place = if first == source {
                String::new()
            } else {
                format!("{first}: ")
            };
            let message = format!("{} \"{}\" is also in {place}document {document}", key.0, key.1);
            problems.push(Problem::new("metadata.name", message));
            return;
        }
        self.seen.insert(key, (source.to_owned(), number));
        self.objects.push(object);
    }
}

/// The object, if nothing is wrong with it.
fn read_object(value: Value, problems: &mut Vec<Problem>) -> Option<Object> {
    let Value::Object(mut fields) = value else {
        let message = format!(
            "must be an object with apiVersion, kind, metadata and spec, not {}",
            schema::kind_of(&value)
        );
        problems.push(Problem::new("", message));
        return None;
    };
    check_identity(&fields, problems);
    if !problems.is_empty() {
        return None;
    }
    check_metadata(fields.get("metadata"), problems);
    // What a cluster reports is there when the manifest was fetched from one.
    fields.remove("status");
    for name in fields
        .keys()
        .filter(|name| !["apiVersion", "kind", "metadata", "spec"].contains(&name.as_str()))
    {
        problems.push(Problem::new(
            name,
            "unknown field; known are apiVersion, kind, metadata, spec",
        ));
    }
    match fields.get("spec") {
        Some(spec) => schema::check(keyspace_schema(), spec, "spec", problems),
        None => problems.push(Problem::new("spec", "is required")),
    }
    if !problems.is_empty() {
        return None;
    }
    let keyspace: Keyspace = match serde_json::from_value(Value::Object(fields)) {
        Ok(keyspace) => keyspace,
        Err(error) => {
            problems.push(Problem::new("", error.to_string()));
            return None;
        }
    };
    match keyspace.resolve(&local_file) {
        Ok(resolved) => Some(Object::Keyspace(Box::new(keyspace), Box::new(resolved))),
        Err(mut found) => {
            problems.append(&mut found);
            None
        }
    }
}

fn check_identity(fields: &Map<String, Value>, problems: &mut Vec<Problem>) {
    for (name, known) in [("apiVersion", API_VERSION), ("kind", "Keyspace")] {
        match fields.get(name) {
            Some(Value::String(text)) if text == known => {}
            Some(Value::String(text)) => {
                problems.push(Problem::new(name, format!("\"{text}\" is not {known}")))
            }
            Some(other) => {
                let message = format!("must be {known}, not {}", schema::kind_of(other));
                problems.push(Problem::new(name, message));
            }
            None => problems.push(Problem::new(name, format!("is required, as in {name}: {known}"))),
        }
    }
}

/// Fields of the metadata: those of a user, and those that a cluster adds to what it returns.
const METADATA: [&str; 12] = [
    "annotations",
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "finalizers",
    "generation",
    "labels",
    "managedFields",
    "name",
    "namespace",
    "ownerReferences",
    "resourceVersion",
];

fn check_metadata(metadata: Option<&Value>, problems: &mut Vec<Problem>) {
    let Some(metadata) = metadata else {
        return problems.push(Problem::new("metadata.name", "is required"));
    };
    let Value::Object(fields) = metadata else {
        let message = format!("must be a mapping, not {}", schema::kind_of(metadata));
        return problems.push(Problem::new("metadata", message));
    };
    for (name, value) in fields {
        let path = format!("metadata.{name}");
        match (name.as_str(), value) {
            ("name" | "namespace", Value::String(_)) | ("uid" | "selfLink", _) => {}
            ("name" | "namespace", Value::Number(_) | Value::Bool(_)) => {
                let message = format!(
                    "must be a string, not {}: put it in quotes",
                    schema::kind_of(value)
                );
                problems.push(Problem::new(path, message));
            }
            ("name" | "namespace", _) => {
                problems.push(Problem::new(
                    path,
                    format!("must be a string, not {}", schema::kind_of(value)),
                ));
            }
            ("labels" | "annotations", Value::Object(entries)) => {
                for (entry, _) in entries.iter().filter(|(_, value)| !value.is_string()) {
                    problems.push(Problem::new(
                        format!("{path}[{entry:?}]"),
                        "must be a string: put it in quotes",
                    ));
                }
            }
            ("labels" | "annotations", Value::Null) => {}
            ("labels" | "annotations", _) => {
                problems.push(Problem::new(
                    path,
                    format!("must be a mapping, not {}", schema::kind_of(value)),
                ));
            }
            (known, _) if METADATA.contains(&known) => {}
            _ => problems.push(Problem::new(
                path,
                "unknown field; known are name, namespace, labels, annotations",
            )),
        }
    }
    if !fields.contains_key("name") {
        problems.push(Problem::new("metadata.name", "is required"));
    }
}

/// The schema of a Keyspace's spec.
fn keyspace_schema() -> &'static Value {
    static SCHEMA: OnceLock<Value> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        let path = "/spec/versions/0/schema/openAPIV3Schema/properties/spec";
        // A definition that cannot be written or has no spec would leave everything to the typed reader.
        serde_json::to_value(Keyspace::crd())
            .ok()
            .and_then(|crd| crd.pointer(path).cloned())
            .unwrap_or_default()
    })
}

#[cfg(test)]
mod tests;
