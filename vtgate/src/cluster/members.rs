//! The members of shards: which of them serve what, by what their agents say. Pure.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use proto::v1::{HealthUpdate, TabletRole};
use topology::records;
use vschema::key_range::Partition;
use vschema::table::TableDef;

use super::{KeyspaceState, MysqlAddress, Replica, ShardState, TabletTarget};

/// What an agent said last.
#[derive(Debug, Clone, Default)]
pub(super) struct TabletHealth {
    /// Its last message without table definitions; none while the stream is down.
    pub update: Option<HealthUpdate>,
    /// The definitions it reported last.
    pub tables: Option<Arc<Vec<Arc<TableDef>>>>,
}

/// How far a replica that serves reads may lag behind; zero for any distance.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct LagLimit(pub Duration);

impl LagLimit {
    /// Whether a tablet lags more.
    pub(super) fn exceeded(self, update: &HealthUpdate) -> bool {
        let lag = update.replication_lag_ms.map(Duration::from_millis);
        !self.0.is_zero() && lag.is_some_and(|lag| lag > self.0)
    }
}

/// Keyspace and shard.
type Place = (String, String);

/// All tablets.
#[derive(Debug, Default)]
pub(super) struct Members {
    /// Tablets by name.
    pub tablets: BTreeMap<String, records::Tablet>,
    /// What agents said, by tablet.
    pub health: HashMap<String, TabletHealth>,
    /// Replicas that lag more serve reads only where no other does.
    pub lag: LagLimit,
    cell: String,
    /// The highest term that a member has told of its shard.
    terms: HashMap<Place, u64>,
    target_ids: HashMap<(String, String), u64>,
}

impl Members {
    /// None yet, for a gateway in this cell.
    pub(super) fn new(cell: &str, lag: LagLimit) -> Self {
        Self {
            cell: cell.to_owned(),
            lag,
            ..Self::default()
        }
    }

    /// Takes an agent's message, without its table definitions.
    ///
    /// A term that was told once stays known: whoever claims a lower one later is no primary any more.
    pub(super) fn take(&mut self, tablet: &str, update: HealthUpdate) {
        if let Some(record) = self.tablets.get(tablet) {
            let place = (record.keyspace.clone(), record.shard.clone());
            let known = self.terms.entry(place).or_default();
            *known = update.term.max(*known);
        }
        self.health.entry(tablet.to_owned()).or_default().update = Some(update);
    }

    /// Forgets what was known of tablets that are gone, and of shards without any.
    pub(super) fn forget_gone(&mut self) {
        let tablets = &self.tablets;
        self.health.retain(|alias, _| tablets.contains_key(alias));
        self.terms.retain(|(keyspace, shard), _| {
            let mut of_shard = tablets.values();
            of_shard.any(|tablet| tablet.keyspace == *keyspace && tablet.shard == *shard)
        });
    }

    /// Who serves the shards of a keyspace.
    pub(super) fn keyspace(&mut self, record: &records::Keyspace, partition: &Partition) -> KeyspaceState {
        let name: Arc<str> = record.name.as_str().into();
        let database: Arc<str> = record.database.as_str().into();
        let shards = partition
            .ranges()
            .iter()
            .map(|range| self.shard(&name, &database, range.to_string().into()))
            .collect();
        KeyspaceState {
            name,
            database,
            shards,
        }
    }

    fn shard(&mut self, keyspace: &Arc<str>, database: &Arc<str>, shard: Arc<str>) -> ShardState {
        let place = (keyspace.to_string(), shard.to_string());
        let known_term = self.terms.get(&place).copied().unwrap_or(0);
        let ids = &mut self.target_ids;
        let mut target = |tablet: &records::Tablet| {
            let address = address(tablet);
            let next = ids.len() as u64 + 1;
            let id = *ids
                .entry((tablet.alias.clone(), format!("{address:?}")))
                .or_insert(next);
            Arc::new(TabletTarget {
                id,
                alias: tablet.alias.clone(),
                keyspace: keyspace.clone(),
                shard: shard.clone(),
                database: database.clone(),
                address,
            })
        };
        let mut state = ShardState::without_members(shard.clone());
        let of_shard = |tablet: &&records::Tablet| tablet.keyspace == place.0 && tablet.shard == place.1;
        for tablet in self.tablets.values().filter(of_shard) {
            let health = self.health.get(&tablet.alias);
            let Some(update) = health
                .and_then(|health| health.update.as_ref())
                .filter(|update| update.serving)
            else {
                continue;
            };
            match update.role() {
                TabletRole::Primary if update.term >= known_term => {
                    state.term = update.term;
                    state.primary = Some(target(tablet));
                    state.draining = update.draining;
                }
                TabletRole::Replica if self.lag.exceeded(update) => state.lagging += 1,
                TabletRole::Replica => state.replicas.push(Replica {
                    target: target(tablet),
                    same_cell: tablet.cell == self.cell,
                }),
                _ => {}
            }
        }
        state
    }
}

fn address(tablet: &records::Tablet) -> MysqlAddress {
    match &tablet.mysql.socket {
        Some(socket) if std::path::Path::new(socket).exists() => MysqlAddress::Unix(PathBuf::from(socket)),
        _ => MysqlAddress::Tcp(tablet.mysql.host.clone(), tablet.mysql.port),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAG: Duration = Duration::from_secs(30);

    fn members(names: &[&str]) -> Members {
        let mut members = Members::new("here", LagLimit(LAG));
        for name in names {
            let tablet = records::Tablet {
                alias: (*name).to_owned(),
                keyspace: "k".to_owned(),
                shard: "-".to_owned(),
                cell: "here".to_owned(),
                mysql: records::MysqlAddress::default(),
                grpc: None,
                server_uuid: None,
                voter: None,
                incarnation: 1,
            };
            members.tablets.insert((*name).to_owned(), tablet);
        }
        members
    }

    fn update(role: TabletRole, term: u64, serving: bool) -> HealthUpdate {
        HealthUpdate {
            role: role.into(),
            term,
            serving,
            ..HealthUpdate::default()
        }
    }

    fn shard(members: &mut Members) -> ShardState {
        members.shard(&"k".into(), &"k".into(), "-".into())
    }

    fn primary(state: &ShardState) -> Option<&str> {
        state.open_primary().map(|target| &*target.alias)
    }

    #[test]
    fn a_lower_term_is_never_used() {
        let mut members = members(&["a", "b"]);
        members.take("a", update(TabletRole::Primary, 3, true));
        assert_eq!(primary(&shard(&mut members)), Some("a"));
        // Told by a replica, too: somebody leads it.
        members.take("b", update(TabletRole::Replica, 4, true));
        assert_eq!(primary(&shard(&mut members)), None);
        members.take("b", update(TabletRole::Primary, 4, true));
        let state = shard(&mut members);
        assert_eq!((primary(&state), state.term), (Some("b"), 4));
        members.health.clear();
        members.take("a", update(TabletRole::Primary, 3, true));
        assert_eq!(primary(&shard(&mut members)), None);
        members.take("a", update(TabletRole::Primary, 5, true));
        assert_eq!(primary(&shard(&mut members)), Some("a"));
    }

    #[test]
    fn a_shard_that_is_made_anew_begins_anew() {
        let mut members = members(&["a"]);
        members.take("a", update(TabletRole::Primary, 9, true));
        let tablets = std::mem::take(&mut members.tablets);
        members.forget_gone();
        members.tablets = tablets;
        members.take("a", update(TabletRole::Primary, 1, true));
        assert_eq!(primary(&shard(&mut members)), Some("a"));
    }

    #[test]
    fn a_draining_primary_takes_no_new_work() {
        let mut members = members(&["a"]);
        let mut draining = update(TabletRole::Primary, 1, true);
        draining.draining = true;
        members.take("a", draining);
        let state = shard(&mut members);
        assert!(state.primary.is_some() && primary(&state).is_none());
        members.take("a", update(TabletRole::Primary, 1, true));
        assert_eq!(primary(&shard(&mut members)), Some("a"));
    }

    #[test]
    fn replicas_that_lag_too_much_are_counted_apart() {
        let mut members = members(&["a", "b", "c"]);
        for (name, lag_ms) in [("a", Some(30_000)), ("b", Some(30_001)), ("c", None)] {
            let mut replica = update(TabletRole::Replica, 1, true);
            replica.replication_lag_ms = lag_ms;
            members.take(name, replica);
        }
        let state = shard(&mut members);
        assert_eq!((state.replicas.len(), state.lagging), (2, 1));
        members.lag = LagLimit(Duration::ZERO);
        let state = shard(&mut members);
        assert_eq!((state.replicas.len(), state.lagging), (3, 0));
    }
}
