//! From nothing to a mysqld that answers: state file, data directory, configuration, port, process, registration.

use std::net::TcpListener;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, bail};
use binlog::gtid::GtidSet;
use leadership::Event;
use topology::records::{Keyspace, MysqlAddress, ShardRecord, Tablet};
use topology::{TypedStore, keys};

use super::{Agent, QUICK};
use crate::accounts;
use crate::cli::TabletArgs;
use crate::layout::Layout;
use crate::mysqld::config::{Settings, render};
use crate::mysqld::{datadir, template};
use crate::process::Process;
use crate::rejoin;
use crate::shard::decide::acks_for;
use crate::state::{FORMAT, Promised, State, StateFile};
use crate::supervisor::wire::Order;

/// How long a starting mysqld may take to answer before the pass is given up and begun anew. Crash recovery of a busy server
/// takes minutes; nothing is killed for being slow.
const ANSWERS_WITHIN: Duration = Duration::from_secs(600);

/// A shard's name as the records write it: `0` is an alias of `-`.
pub(super) fn shard_name(arg: &str) -> &str {
    if arg == "0" { "-" } else { arg }
}

/// Reads the state of the tablet's directory, or begins a new member's. Asks the store, as long as it takes, whether a new
/// member's name is already a voter by data that is gone.
pub(super) async fn open_state(
    args: &TabletArgs,
    layout: &Layout,
    store: &TypedStore,
) -> anyhow::Result<StateFile> {
    let found = StateFile::open(&layout.state)?;
    let has_data = layout.data.is_dir();
    match found {
        None if has_data => bail!(
            "{} holds data but {} is missing: without it nobody knows which terms this member has seen",
            layout.data.display(),
            layout.state.display()
        ),
        Some(mut file) if has_data || !file.get().prepared => {
            let state = file.get();
            let shard = shard_name(&args.shard);
            if (&*state.alias, &*state.keyspace, &*state.shard) != (&*args.alias, &*args.keyspace, shard) {
                bail!(
                    "{} belongs to tablet {} of {}/{}",
                    layout.dir.display(),
                    state.alias,
                    state.keyspace,
                    state.shard
                );
            }
            file.update(|s| s.incarnation = incarnation().max(s.incarnation + 1))?;
            Ok(file)
        }
        _ => new_state(args, layout, store).await,
    }
}

async fn new_state(args: &TabletArgs, layout: &Layout, store: &TypedStore) -> anyhow::Result<StateFile> {
    let voter = loop {
        match voter(args, store).await {
            Ok(answer) => break answer,
            Err(error) => tracing::warn!(%error, "a new member has to ask the topology store who it is"),
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    };
    let state = State {
        format: FORMAT,
        alias: args.alias.clone(),
        keyspace: args.keyspace.clone(),
        database: None,
        shard: shard_name(&args.shard).to_owned(),
        server_uuid: datadir::random_uuid(),
        server_id: rand::random_range(1..=u32::MAX),
        mysql_port: 0,
        incarnation: incarnation(),
        prepared: false,
        voter,
        shard_seen: None,
        promised: Promised::default(),
        joined_term: 0,
        rebuilding: None,
        base: None,
    };
    Ok(StateFile::create(&layout.state, state)?)
}

/// The name that new data votes by: another one than the tablet's if the shard has seen data by that.
async fn voter(args: &TabletArgs, store: &TypedStore) -> Result<String, topology::typed::TypedError> {
    let alias = args.alias.clone();
    let record = store
        .get::<ShardRecord>(&keys::shard(&args.keyspace, shard_name(&args.shard)))
        .await?;
    let was = |record: &ShardRecord| record.voters.iter().any(|v| ShardRecord::alias_of(v) == alias);
    if !record.is_some_and(|r| was(&r.record)) {
        return Ok(alias);
    }
    let tablet = store.get::<Tablet>(&keys::tablet(&alias)).await?;
    Ok(match tablet.and_then(|t| t.record.server_uuid) {
        Some(_) => format!("{alias}#{:08x}", rand::random::<u32>()),
        None => alias,
    })
}

/// Milliseconds since 1970: larger than any earlier start's, also after the directory was lost.
fn incarnation() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

impl Agent {
    /// The keyspace's record.
    pub(super) fn keyspace(&self) -> Option<Keyspace> {
        self.keyspaces.with(|all| {
            all.get(&keys::keyspace(&self.shared.args.keyspace))
                .map(|k| k.record.clone())
        })
    }

    /// Members of this shard that have come up at least once, by the names that their data votes by.
    pub(super) fn members(&self) -> Vec<String> {
        let state = self.memory.get();
        self.tablets.with(|all| {
            all.values()
                .map(|t| &t.record)
                .filter(|t| t.keyspace == state.keyspace && t.shard == state.shard && t.server_uuid.is_some())
                .map(|t| t.voter.as_ref().unwrap_or(&t.alias).clone())
                .collect()
        })
    }

    /// Starts mysqld unless it runs, and returns when it answers. A start ends the pass: the next one goes on from here.
    pub(super) async fn ensure_mysqld(&mut self, process: Process) -> anyhow::Result<()> {
        if process.pid.is_none() {
            self.start_mysqld().await?;
        }
        self.answers().await?;
        self.backoff.succeeded();
        self.prepare_accounts().await?;
        self.keep_purged().await?;
        self.leader.tell(Event::ServerUp);
        self.leader.tell(Event::Eligible(true));
        match self.register().await {
            // Who is part of a shard goes on without the store.
            Err(error) if self.memory.get().shard_seen.is_some() => tracing::debug!("{error:#}"),
            result => result?,
        }
        Ok(())
    }

    /// What mysqld says that its log does not tell goes to disk before this member may lead: a later promise may have to be told
    /// without mysqld.
    async fn keep_purged(&mut self) -> anyhow::Result<()> {
        let text: String = self
            .shared
            .control
            .row("SELECT @@global.gtid_purged", QUICK)
            .await?;
        if self.purged.as_ref() != Some(&text) {
            let set: GtidSet = text.parse()?;
            let data = self.shared.layout.data.clone();
            tokio::task::spawn_blocking(move || rejoin::keep_purged(&data, &set)).await??;
            self.purged = Some(text);
        }
        Ok(())
    }

    async fn start_mysqld(&mut self) -> anyhow::Result<()> {
        tokio::time::sleep(self.backoff.next()).await;
        self.make_data().await?;
        self.choose_port()?;
        self.write_config()?;
        let data = self.shared.layout.data.clone();
        let uuid = tokio::task::spawn_blocking(move || -> anyhow::Result<_> {
            rejoin::before_start(&data)?;
            Ok(datadir::uuid(&data)?)
        })
        .await??;
        // A rewind or a clone has made it another server.
        if let Some(uuid) = uuid {
            self.memory.update(|s| s.server_uuid.clone_from(&uuid))?;
            self.shared.board.update(|h| h.server_uuid = uuid);
        }
        // Left by a mysqld that was killed; its process id may be somebody else's now, which would keep mysqld from starting.
        for name in ["mysql.sock", "mysql.sock.lock", "mysqld.pid"] {
            let _ = std::fs::remove_file(self.shared.layout.run.join(name));
        }
        self.shared.link.order(Order::Start).await?;
        tokio::time::sleep(Duration::from_secs(10)).await;
        bail!("the supervisor did not start mysqld")
    }

    async fn make_data(&mut self) -> anyhow::Result<()> {
        let shared = self.shared.clone();
        let uuid = self.memory.get().server_uuid.clone();
        tokio::task::spawn_blocking(move || -> anyhow::Result<()> {
            let layout = &shared.layout;
            if !layout.data.is_dir() {
                template::ensure(&layout.template, &shared.args.mysqld, &shared.secrets)?;
                datadir::create(&template::data(&layout.template), &layout.data, &uuid)?;
            }
            Ok(())
        })
        .await?
        .context("cannot make the data directory")
    }

    /// Keeps the port of the last start while it is free.
    fn choose_port(&mut self) -> anyhow::Result<()> {
        let host = &*self.shared.args.mysql_host;
        if let Some(port) = self.shared.args.mysql_port {
            return Ok(self.memory.update(|s| s.mysql_port = port)?);
        }
        let known = self.memory.get().mysql_port;
        let bound = match known {
            0 => TcpListener::bind((host, 0)),
            port => TcpListener::bind((host, port)).or_else(|_| TcpListener::bind((host, 0))),
        };
        let port = bound
            .with_context(|| format!("no port is free on {host}"))?
            .local_addr()?
            .port();
        Ok(self.memory.update(|s| s.mysql_port = port)?)
    }

    fn write_config(&self) -> anyhow::Result<()> {
        let (args, state) = (&self.shared.args, self.memory.get());
        let extra = match &args.extra_config {
            Some(path) => {
                std::fs::read_to_string(path).with_context(|| format!("--extra-config {}", path.display()))?
            }
            None => String::new(),
        };
        let acks = match (&state.shard_seen, self.keyspace()) {
            (Some(record), _) => record.acks,
            (None, Some(keyspace)) => acks_for(keyspace.members),
            (None, None) => bail!("the topology has no keyspace {}", args.keyspace),
        };
        let text = render(&Settings {
            version: self.shared.version,
            layout: &self.shared.layout,
            basedir: args.mysqld.mysqld_basedir.as_deref(),
            server_id: state.server_id,
            host: &args.mysql_host,
            port: state.mysql_port,
            buffer_pool_mib: args.buffer_pool,
            acks,
            extra: &extra,
            as_root: template::is_root(),
        });
        std::fs::write(&self.shared.layout.my_cnf, text)?;
        Ok(())
    }

    /// Waits until mysqld, which runs, answers.
    pub(super) async fn answers(&self) -> anyhow::Result<()> {
        let until = tokio::time::Instant::now() + ANSWERS_WITHIN;
        loop {
            match self.shared.control.row::<u8>("SELECT 1", QUICK).await {
                Ok(_) => return Ok(()),
                Err(error) if tokio::time::Instant::now() >= until => {
                    return Err(anyhow::Error::new(error).context("mysqld runs and does not answer"));
                }
                Err(error) => tracing::debug!(%error, "mysqld does not answer yet"),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Gives the gateway's account its rights on this member, outside the binlog. Once per data directory, before it has a
    /// shard.
    async fn prepare_accounts(&mut self) -> anyhow::Result<()> {
        if self.memory.get().prepared {
            return Ok(());
        }
        let database = self
            .memory
            .get()
            .database
            .clone()
            .context("the keyspace's database is not known")?;
        let mut statements = vec![
            "SET sql_log_bin=0".to_owned(),
            "SET GLOBAL super_read_only=OFF".to_owned(),
        ];
        statements.extend(accounts::member_statements(&database));
        statements.push("SET GLOBAL super_read_only=ON".to_owned());
        statements.push("SET sql_log_bin=1".to_owned());
        self.shared
            .control
            .run(&statements, QUICK * 4)
            .await
            .context("cannot set up the accounts")?;
        self.memory.update(|s| s.prepared = true)?;
        Ok(())
    }

    /// Tells the topology how to reach this tablet, when that changed.
    pub(super) async fn register(&mut self) -> anyhow::Result<()> {
        let (args, state) = (&self.shared.args, self.memory.get());
        let tablet = Tablet {
            alias: state.alias.clone(),
            keyspace: state.keyspace.clone(),
            shard: state.shard.clone(),
            cell: args.cell.clone(),
            mysql: MysqlAddress {
                socket: Some(self.shared.layout.mysql_socket.display().to_string()),
                host: args.mysql_host.clone(),
                port: state.mysql_port,
            },
            grpc: Some(self.grpc.clone()),
            server_uuid: Some(state.server_uuid.clone()),
            voter: (state.voter != state.alias).then(|| state.voter.clone()),
            incarnation: state.incarnation,
        };
        let known = self
            .tablets
            .with(|all| all.contains_key(&keys::tablet(&tablet.alias)));
        if self.registered.as_ref() != Some(&tablet) || !known {
            self.store
                .put(&tablet)
                .await
                .context("cannot register with the topology")?;
            self.registered = Some(tablet);
        }
        Ok(())
    }
}
