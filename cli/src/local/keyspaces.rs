//! From manifests to the topology's keyspace records.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use crds::{Object, ResolvedKeyspace, manifest};
use topology::TypedStore;
use topology::records::Keyspace;

use super::progress::Progress;

/// What `up` runs when it is told nothing else.
const EXAMPLE: &str = include_str!("../../../examples/commerce/manifest.yaml");

/// The keyspaces that manifests ask for.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) keyspaces: Vec<Keyspace>,
    /// What works and deserves a look.
    pub(crate) notes: Vec<String>,
}

/// Reads manifests, whose objects belong together.
///
/// # Errors
/// Everything that is wrong, with file, field and reason.
pub(crate) fn load(files: &[PathBuf]) -> Result<Wanted> {
    let read = |path: &PathBuf| {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok((path.display().to_string(), text))
    };
    let texts = files
        .iter()
        .map(read)
        .collect::<Result<Vec<(String, String)>>>()?;
    parse(texts.iter().map(|(name, text)| (name.as_str(), text.as_str())))
}

/// The commerce example.
pub(crate) fn example() -> Result<Wanted> {
    parse([("examples/commerce/manifest.yaml", EXAMPLE)])
}

fn parse<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Wanted> {
    let mut wanted = Wanted::default();
    for object in manifest::load_all(files)? {
        match object {
            Object::Keyspace(written, resolved) => {
                let note = |text: String| format!("{}: {text}", resolved.name);
                wanted.notes.extend(written.local_notices().into_iter().map(note));
                wanted
                    .notes
                    .extend(resolved.warnings.iter().map(|warning| note(warning.to_string())));
                wanted.keyspaces.push(record(*resolved));
            }
            other => bail!("a local cluster knows no {}", other.kind()),
        }
    }
    Ok(wanted)
}

fn record(resolved: ResolvedKeyspace) -> Keyspace {
    Keyspace {
        shards: resolved.shards(),
        name: resolved.name,
        database: resolved.database,
        members: resolved.members,
        vschema: resolved.vschema_document,
        vschema_version: 1,
        schema: resolved.schema,
    }
}

/// Whether the manifest asks for nothing that the record does not have.
pub(crate) fn same(known: &Keyspace, wanted: &Keyspace) -> bool {
    known.shards == wanted.shards
        && known.members == wanted.members
        && known.database == wanted.database
        && known.vschema == wanted.vschema
}

/// Makes the topology hold the `wanted` keyspaces. Keyspaces that are only in the topology stay.
///
/// # Errors
/// When a keyspace that exists would have to get other shards or members, before anything is written.
pub(crate) async fn apply(store: &TypedStore, wanted: &[Keyspace], progress: &Progress) -> Result<()> {
    let known: Vec<_> = store.list::<Keyspace>().await?;
    let find = |name: &str| known.iter().find(|found| found.record.name == name);
    for keyspace in wanted {
        if let Some(found) = find(&keyspace.name) {
            check_unchanged(&found.record, keyspace)?;
        }
    }
    for keyspace in wanted {
        let Some(found) = find(&keyspace.name) else {
            store
                .create(keyspace)
                .await
                .with_context(|| format!("cannot create keyspace {}", keyspace.name))?;
            continue;
        };
        let mut record = found.record.clone();
        record.set_vschema(keyspace.vschema.clone());
        if record != found.record {
            store
                .replace(found, &record)
                .await
                .with_context(|| format!("cannot change keyspace {}", keyspace.name))?;
            progress.step(&format!(
                "{}: vschema changed to version {}",
                record.name, record.vschema_version
            ));
        }
        if record.schema != keyspace.schema {
            progress.step(&format!(
                "{}: spec.schema in the manifest has changed, but is applied to new keyspaces only; run the DDL through the gateway",
                record.name
            ));
        }
    }
    for found in &known {
        if !wanted.is_empty() && !wanted.iter().any(|keyspace| keyspace.name == found.record.name) {
            progress.step(&format!(
                "{}: is in no manifest given now, and goes on running",
                found.record.name
            ));
        }
    }
    Ok(())
}

/// Shards and members of a keyspace with data cannot change yet.
fn check_unchanged(known: &Keyspace, wanted: &Keyspace) -> Result<()> {
    let name = &known.name;
    if known.shards != wanted.shards {
        bail!(
            "keyspace {name} has the shards {}, the manifest says {}: resharding is coming, but not here yet. \
             Put the old value back, or start anew with `vitrail local down --delete-data`",
            known.shards.join(" "),
            wanted.shards.join(" ")
        );
    }
    if known.members != wanted.members {
        bail!(
            "keyspace {name} has {} members per shard, the manifest says {}: adding and removing members is coming, but not \
             here yet. Put the old value back, or start anew with `vitrail local down --delete-data`",
            known.members,
            wanted.members
        );
    }
    if known.database != wanted.database {
        bail!(
            "keyspace {name} has the database {}; it cannot be renamed to {}",
            known.database,
            wanted.database
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests;
