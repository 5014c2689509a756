//! What a Keyspace means: its defaults filled in and everything checked, in a manifest as in the operator.

use std::str::FromStr;

use serde_json::Value;
use vschema::document::{VSchema, Warning};
use vschema::key_range::even_split;
use vschema::vindex::ReadFile;
use vschema::{KeyRange, Partition};

use super::{Keyspace, KeyspaceSpec, names};
use crate::problem::Problem;

/// A keyspace without open questions.
#[derive(Clone, Debug, PartialEq)]
pub struct ResolvedKeyspace {
    /// Its name.
    pub name: String,
    /// The MySQL database that holds its tables.
    pub database: String,
    /// The shards' key ranges in order; they print as the shards' names.
    pub ranges: Vec<KeyRange>,
    /// MySQL servers per shard.
    pub members: u32,
    /// The vschema as it was written; null where there is none.
    pub vschema_document: Value,
    /// The same, read and checked.
    pub vschema: VSchema,
    /// What in the vschema works and deserves a look.
    pub warnings: Vec<Warning>,
    /// The DDL.
    pub schema: String,
}

impl ResolvedKeyspace {
    /// Names of the shards in order.
    #[must_use]
    pub fn shards(&self) -> Vec<String> {
        self.ranges.iter().map(ToString::to_string).collect()
    }
}

impl Keyspace {
    /// Checks what the schema cannot say and fills in the defaults. `read_file` opens the files that vindex
    /// params name.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn resolve(&self, read_file: ReadFile<'_>) -> Result<ResolvedKeyspace, Vec<Problem>> {
        let mut problems = Vec::new();
        let ranges = ranges(&self.spec, &mut problems);
        names::check_keyspace(self.name(), &ranges, &mut problems);
        if let Some(database) = &self.spec.database {
            names::check_database(database, &mut problems);
        }
        let members = self.spec.members;
        if !(1..=9).contains(&members) {
            problems.push(Problem::new("spec.members", "must be between 1 and 9"));
        }
        let (vschema, warnings) = check_vschema(&self.spec, ranges.len(), read_file, &mut problems);
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(ResolvedKeyspace {
            name: self.name().to_owned(),
            database: self
                .spec
                .database
                .clone()
                .unwrap_or_else(|| self.name().to_owned()),
            ranges,
            members: members.unsigned_abs(),
            vschema_document: self.spec.vschema.clone().unwrap_or_default(),
            vschema,
            warnings,
            schema: self.spec.schema.clone(),
        })
    }
}

/// The shards' key ranges; empty where they are wrong.
fn ranges(spec: &KeyspaceSpec, problems: &mut Vec<Problem>) -> Vec<KeyRange> {
    let none = |problem: Problem, problems: &mut Vec<Problem>| {
        problems.push(problem);
        Vec::new()
    };
    match (spec.shards, &spec.key_ranges) {
        (Some(_), Some(_)) => none(
            Problem::new("spec.keyRanges", "cannot be given together with spec.shards"),
            problems,
        ),
        (None, None) => none(
            Problem::new("spec.shards", "is required, unless spec.keyRanges is given"),
            problems,
        ),
        (Some(shards), None) => match usize::try_from(shards)
            .ok()
            .filter(|shards| (1..=1024).contains(shards))
        {
            Some(shards) => even_split(shards)
                .unwrap_or_else(|error| none(Problem::new("spec.shards", error.to_string()), problems)),
            None => none(
                Problem::new("spec.shards", "must be between 1 and 1024"),
                problems,
            ),
        },
        (None, Some(ranges)) => {
            let before = problems.len();
            let ranges = key_ranges(ranges, problems);
            if problems.len() > before {
                Vec::new()
            } else {
                ranges
            }
        }
    }
}

fn key_ranges(texts: &[String], problems: &mut Vec<Problem>) -> Vec<KeyRange> {
    let mut problem = |path: &str, message: String| problems.push(Problem::new(path, message));
    if texts.is_empty() {
        problem("spec.keyRanges", "must name at least one key range".to_owned());
    }
    let mut ranges: Vec<KeyRange> = Vec::with_capacity(texts.len());
    let mut broken = false;
    for (index, text) in texts.iter().enumerate() {
        let path = format!("spec.keyRanges[{index}]");
        // A shard has one name: `0` and upper case are accepted when clients name a shard, but do not make
        // one.
        match KeyRange::from_str(text) {
            Ok(range) if range.to_string() == *text => ranges.push(range),
            Ok(range) => {
                broken = true;
                problem(&path, format!("must be written \"{range}\""));
            }
            Err(error) => {
                broken = true;
                problem(&path, error.to_string());
            }
        }
    }
    if broken {
        return ranges;
    }
    for (index, (left, right)) in ranges.iter().zip(ranges.iter().skip(1)).enumerate() {
        if left.end().is_empty() || left.end() != right.start() {
            problem(
                &format!("spec.keyRanges[{}]", index + 1),
                format!("does not start where [{index}] ends"),
            );
        }
    }
    if ranges.first().is_some_and(|first| !first.start().is_empty()) {
        problem("spec.keyRanges[0]", "must start open, as in \"-80\"".to_owned());
    }
    if ranges.last().is_some_and(|last| !last.end().is_empty()) {
        problem(
            &format!("spec.keyRanges[{}]", ranges.len() - 1),
            "must end open, as in \"80-\"".to_owned(),
        );
    }
    match Partition::new(ranges.clone()) {
        Err(error) if problems.is_empty() => problems.push(Problem::new("spec.keyRanges", error.to_string())),
        _ => {}
    }
    ranges
}

fn check_vschema(
    spec: &KeyspaceSpec,
    shards: usize,
    read_file: ReadFile<'_>,
    problems: &mut Vec<Problem>,
) -> (VSchema, Vec<Warning>) {
    let Some(document) = &spec.vschema else {
        if shards > 1 {
            let message =
                format!("is required with {shards} shards: its vindexes say which rows are on which shard");
            problems.push(Problem::new("spec.vschema", message));
        }
        return Default::default();
    };
    let mut report = |errors: Vec<vschema::document::DocumentError>| {
        problems.extend(errors.into_iter().map(|error| {
            let path = if error.path.is_empty() {
                String::new()
            } else {
                format!(".{}", error.path)
            };
            Problem::new(format!("spec.vschema{path}"), error.message)
        }));
    };
    let vschema = match VSchema::from_value(document) {
        Ok(vschema) => vschema,
        Err(errors) => {
            report(errors);
            return Default::default();
        }
    };
    let mut warnings = Vec::new();
    match vschema.compile(read_file) {
        Ok(compiled) => warnings = compiled.warnings,
        Err(errors) => report(errors),
    }
    if let Err(errors) = vschema.check_applicable() {
        report(errors);
    }
    if shards > 1 && !vschema.sharded {
        problems.push(Problem::new(
            "spec.vschema.sharded",
            format!("must be true with {shards} shards"),
        ));
    }
    (vschema, warnings)
}
