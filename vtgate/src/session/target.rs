//! What a session has selected: `USE customer`, `USE customer@replica`, `USE customer:-80`, `USE information_schema`.

use std::fmt;

/// Which members of a shard serve a session's reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum TabletType {
    /// The primary: reads and writes.
    #[default]
    Primary,
    /// Replicas within the lag limit: reads only.
    Replica,
}

impl TabletType {
    /// The name in a target and in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Replica => "replica",
        }
    }
}

/// MySQL's own schemas, which every mysqld has: reads of them go to any shard.
pub const SYSTEM_SCHEMAS: [&str; 4] = ["information_schema", "mysql", "performance_schema", "sys"];

/// Whether a name is one of [`SYSTEM_SCHEMAS`], in any letter case.
pub fn is_system_schema(name: &str) -> bool {
    SYSTEM_SCHEMAS
        .iter()
        .any(|schema| schema.eq_ignore_ascii_case(name))
}

/// A parsed target. The database's existence is not checked here.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Target {
    /// Keyspace or system schema; none before the first `USE`.
    pub database: Option<Box<str>>,
    /// One shard, by its name.
    pub shard: Option<Box<str>>,
    /// Which members.
    pub tablet_type: TabletType,
}

/// Why a target cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// `@word` names no role.
    #[error("Unknown tablet type '{0}' in the target: primary or replica")]
    TabletType(String),
    /// `keyspace[range]`.
    #[error("This version of Vitrail doesn't yet support 'targets by key range'")]
    KeyRange,
}

impl Target {
    /// Parses `[database][:shard][@tablet_type]`. `/` is accepted for `:`, and `master` and `rdonly` for their roles.
    ///
    /// # Errors
    /// An unknown role, or the key range form.
    pub fn parse(text: &str) -> Result<Self, TargetError> {
        let (rest, tablet_type) = match text.rsplit_once('@') {
            None => (text, TabletType::Primary),
            Some((rest, role)) => (rest, parse_role(role)?),
        };
        if rest.ends_with(']') {
            return Err(TargetError::KeyRange);
        }
        let (database, shard) = match rest.split_once([':', '/']) {
            None => (rest, None),
            Some((database, shard)) => (database, Some(shard.into())),
        };
        let database = (!database.is_empty()).then(|| database.into());
        Ok(Self {
            database,
            shard,
            tablet_type,
        })
    }

    /// Whether one of MySQL's own schemas is selected.
    pub fn is_system(&self) -> bool {
        self.database.as_deref().is_some_and(is_system_schema)
    }
}

fn parse_role(role: &str) -> Result<TabletType, TargetError> {
    match role.to_ascii_lowercase().as_str() {
        "primary" | "master" => Ok(TabletType::Primary),
        "replica" | "rdonly" => Ok(TabletType::Replica),
        _ => Err(TargetError::TabletType(role.to_owned())),
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.database.as_deref().unwrap_or_default())?;
        if let Some(shard) = &self.shard {
            write!(f, ":{shard}")?;
        }
        if self.tablet_type != TabletType::Primary {
            write!(f, "@{}", self.tablet_type.name())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_and_prints() {
        for text in [
            "customer",
            "customer@replica",
            "customer:-80",
            "customer:80-@replica",
            "@replica",
            "",
        ] {
            assert_eq!(Target::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Target::parse("c@primary").unwrap().to_string(), "c");
        assert_eq!(Target::parse("c/0").unwrap().shard.as_deref(), Some("0"));
    }

    #[test]
    fn names_what_it_does_not_know() {
        assert_eq!(
            Target::parse("c@leader"),
            Err(TargetError::TabletType("leader".into()))
        );
        assert_eq!(Target::parse("c[40-80]"), Err(TargetError::KeyRange));
    }

    #[test]
    fn system_schemas_have_no_case() {
        assert!(Target::parse("INFORMATION_SCHEMA").unwrap().is_system());
        assert!(!Target::parse("customer").unwrap().is_system());
    }
}
