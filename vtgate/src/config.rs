//! What the gateway is told at start: command-line flags, each also readable from `VTGATE_*`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

use crate::affinity::PinWorkers;
use crate::buffer::BufferLimits;

/// The Vitrail gateway: speaks the MySQL protocol to clients and routes to shards.
#[derive(Debug, Clone, Parser)]
#[command(name = "vtgate", version)]
pub struct Config {
    /// Topology store: `unix:PATH` or `http://HOST:PORT`.
    #[arg(long, env = "VTGATE_TOPOLOGY")]
    pub topology: String,
    /// File with the passwords of Vitrail's own MySQL accounts (JSON, key `app`).
    #[arg(long, env = "VTGATE_SECRETS")]
    pub secrets: PathBuf,
    /// Address for MySQL clients.
    #[arg(long, default_value = "127.0.0.1:15306")]
    pub mysql_listen: SocketAddr,
    /// Unix socket for MySQL clients.
    #[arg(long)]
    pub mysql_socket: Option<PathBuf>,
    /// Address for `/metrics`, `/healthz` and `/readyz`.
    #[arg(long)]
    pub http_listen: Option<SocketAddr>,
    /// Cell this gateway runs in: replicas of the same cell are preferred.
    #[arg(long, default_value = "local")]
    pub cell: String,
    /// Exit when the process that started this one ends.
    #[arg(long)]
    pub die_with_parent: bool,
    /// Worker threads; 0 takes one per core.
    #[arg(long, default_value_t = 0)]
    pub workers: usize,
    /// Whether each worker stays on a core of its own.
    #[arg(long, value_enum, default_value_t)]
    pub pin_workers: PinWorkers,
    /// Client connections at most; one more gets error 1040.
    #[arg(long, default_value_t = 20_000)]
    pub connections_max: usize,
    /// Backend connections per tablet at most, over all workers.
    #[arg(long, default_value_t = 400)]
    pub pool_connections_max: usize,
    /// How long a statement waits for a backend connection, ms; then error 1040.
    #[arg(long, default_value_t = 10_000)]
    pub pool_wait_ms_max: u64,
    /// Idle backend connections are closed after this time, s.
    #[arg(long, default_value_t = 300)]
    pub pool_idle_s_max: u64,
    /// Bytes of rows a statement over several shards may hold in the gateway; past it error 1104.
    #[arg(long, default_value_t = 256 << 20)]
    pub result_bytes_max: usize,
    /// A statement's time, ms, 0 for none; past it error 3024.
    #[arg(long, default_value_t = 0)]
    pub statement_ms_max: u64,
    /// An open transaction's time, ms, 0 for none; past it the connection is closed with error 1317.
    #[arg(long, default_value_t = 0)]
    pub transaction_ms_max: u64,
    /// An idle client's time, s; as MySQL's `wait_timeout`.
    #[arg(long, default_value_t = 28_800)]
    pub wait_timeout_s: u64,
    /// The largest packet a client may send, bytes; past it error 1153.
    #[arg(long, default_value_t = 64 << 20)]
    pub max_allowed_packet: usize,
    /// Bytes of cached plans per worker.
    #[arg(long, default_value_t = 16 << 20)]
    pub plan_cache_bytes_max: usize,
    /// Time given to statements in flight after SIGTERM, s.
    #[arg(long, default_value_t = 30)]
    pub drain_s_max: u64,
    /// Replicas that lag more than this are not read; 0 for any lag. As `10s` or `500ms`.
    #[arg(long, default_value = "30s", value_parser = duration)]
    pub replica_lag_max: Duration,
    /// How long a statement is held for a shard without a serving primary; 0 switches holding off. As `10s` or `500ms`.
    #[arg(long, default_value = "10s", value_parser = duration)]
    pub buffer_window: Duration,
    /// Statements held per shard at most.
    #[arg(long, default_value_t = 1000)]
    pub buffer_statements: usize,
    /// Bytes of the statements held per shard at most, parameters included.
    #[arg(long, default_value_t = 64 << 20)]
    pub buffer_bytes: usize,
    /// Certificate chain for clients, PEM. Without it a self-signed one is made at start, as mysqld does.
    #[arg(long, requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// Private key of `--tls-cert`, PEM.
    #[arg(long, requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// Refuse clients on TCP without TLS (error 3159).
    #[arg(long)]
    pub require_secure_transport: bool,
    /// Networks (CIDR) whose connections start with a PROXY protocol header.
    #[arg(long, value_delimiter = ',')]
    pub proxy_protocol_from: Vec<String>,
    /// OTLP collector that gets traces by gRPC, `http://HOST:PORT`; without it there are none.
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT")]
    pub otlp_endpoint: Option<String>,
    /// Name of this service in traces.
    #[arg(long, env = "OTEL_SERVICE_NAME", default_value = "vtgate")]
    pub otlp_service_name: String,
    /// Share of the statements that are traced, 0 to 1, where the client does not say.
    #[arg(long, default_value_t = 1.0)]
    pub trace_ratio: f64,
    /// Version told to clients.
    #[arg(long, default_value = "9.7.4-Vitrail")]
    pub server_version: String,
}

impl Config {
    /// Worker threads after the default is applied.
    pub fn worker_count(&self) -> usize {
        if self.workers > 0 {
            return self.workers;
        }
        std::thread::available_parallelism().map_or(1, |cores| cores.get())
    }

    /// Limits of the statements that wait for a primary.
    pub fn buffer_limits(&self) -> BufferLimits {
        BufferLimits {
            window: self.buffer_window,
            statements: self.buffer_statements,
            bytes: self.buffer_bytes,
        }
    }

    /// Backend connections per tablet and worker.
    pub fn pool_size_per_worker(&self) -> usize {
        (self.pool_connections_max / self.worker_count()).max(1)
    }
}

/// A time as `10s` or `500ms`, or 0.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("'{text}' is no time such as 10s or 500ms");
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let number = text.strip_suffix(unit).unwrap_or(text);
    let number: u64 = number.parse().map_err(|_| wrong())?;
    match unit {
        "ms" => Ok(Duration::from_millis(number)),
        "s" => Ok(Duration::from_secs(number)),
        "" if number == 0 => Ok(Duration::ZERO),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        assert_eq!(duration("10s"), Ok(Duration::from_secs(10)));
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("0"), Ok(Duration::ZERO));
        for wrong in ["", "10", "s", "1m", "-1s", "1.5s"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
