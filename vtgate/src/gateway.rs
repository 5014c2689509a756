//! Puts the gateway together: the control thread, the workers, and the end of both.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use prometheus_client::registry::Registry;
use topology::TypedStore;
use topology::remote::{RemoteOptions, RemoteStore};

use crate::affinity;
use crate::backend::connection::BackendOptions;
use crate::buffer::Buffer;
use crate::cluster::{Cluster, ClusterWatch, Published};
use crate::config::Config;
use crate::control::{Interrupt, Sessions};
use crate::http::Pages;
use crate::listener::{self, Frontend};
use crate::metrics::{GatewayMetrics, WorkerMetrics};
use crate::secrets::Secrets;
use crate::traces::Traces;
use crate::worker::{Shared, Worker};

/// How often deadlines of sessions are checked.
const DEADLINE_TICK: Duration = Duration::from_millis(100);

/// How often workers close idle connections.
const SWEEP_TICK: Duration = Duration::from_secs(5);

/// Runs the gateway until SIGTERM or SIGINT, then drains it.
///
/// # Errors
/// What keeps it from starting.
pub fn run(config: Config) -> anyhow::Result<()> {
    if config.die_with_parent {
        end_with_parent()?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(serve(Arc::new(config)))
}

async fn serve(config: Arc<Config>) -> anyhow::Result<()> {
    let secrets = Secrets::read(&config.secrets)?;
    let address: topology::Address = config.topology.parse()?;
    let store = RemoteStore::new(&address, RemoteOptions::default())?;
    let store = TypedStore::new(Arc::new(store));

    let cluster = Arc::new(Published::new(Cluster::empty()));
    let (watch, reload) = ClusterWatch::new(&store, cluster.clone(), &config.cell, config.replica_lag_max);
    tokio::spawn(watch.run());

    let sessions = Arc::new(Sessions::new(config.connections_max));
    let buffer = Arc::new(Buffer::new(config.buffer_limits()));
    let shared = Shared {
        config: config.clone(),
        sessions: sessions.clone(),
        cluster: cluster.clone(),
        reload,
        buffer: buffer.clone(),
        traces: Traces::new(&config).context("traces")?,
    };
    let traces = shared.traces.clone();
    let frontend = Arc::new(Frontend::new(&config)?);

    let mut queues = Vec::new();
    let mut metrics = Vec::new();
    let cores = affinity::cores(config.pin_workers, config.worker_count());
    for number in 0..config.worker_count() {
        let core = cores.get(number).copied();
        let counters = Arc::new(WorkerMetrics::default());
        metrics.push(counters.clone());
        let (queue, arrivals) = tokio::sync::mpsc::unbounded_channel();
        queues.push(listener::WorkerQueue::new(queue));
        let (shared, frontend, password) = (shared.clone(), frontend.clone(), secrets.app.clone());
        let load = queues.last().map(listener::WorkerQueue::load).unwrap_or_default();
        std::thread::Builder::new()
            .name(format!("worker-{number}"))
            .spawn(move || {
                if let Some(core) = core {
                    affinity::pin(core);
                }
                run_worker(shared, counters, &frontend, &password, arrivals, &load);
            })
            .context("cannot start a worker thread")?;
    }

    let mut registry = Registry::default();
    registry.register_collector(Box::new(GatewayMetrics {
        workers: metrics,
        sessions: sessions.clone(),
        buffer,
    }));
    if let Some(address) = config.http_listen {
        let pages = Pages {
            registry,
            cluster: cluster.clone(),
            sessions: sessions.clone(),
        };
        crate::http::serve(address, pages)
            .await
            .with_context(|| format!("cannot listen on http://{address}"))?;
    }

    // Kept to the end: a worker whose queue is closed stops, with the sessions that the drain waits for.
    let queues = Arc::new(queues);
    let listeners = listener::listen(&config, queues.clone(), sessions.clone()).await?;
    tracing::info!(mysql = %config.mysql_listen, workers = config.worker_count(), "gateway started");

    let ticking = sessions.clone();
    tokio::spawn(async move {
        let mut tick = tokio::time::interval(DEADLINE_TICK);
        loop {
            tick.tick().await;
            ticking.check_deadlines();
        }
    });

    wait_for_signal().await?;
    tracing::info!(connections = sessions.count(), "draining");
    for task in listeners {
        task.abort();
    }
    drain(&sessions, Duration::from_secs(config.drain_s_max)).await;
    if let Some(traces) = traces {
        tokio::task::spawn_blocking(move || traces.shut_down()).await?;
    }
    Ok(())
}

fn run_worker(
    shared: Shared,
    metrics: Arc<WorkerMetrics>,
    frontend: &Frontend,
    password: &str,
    arrivals: tokio::sync::mpsc::UnboundedReceiver<listener::Arrival>,
    load: &Arc<std::sync::atomic::AtomicUsize>,
) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "a worker cannot start");
            std::process::exit(1);
        }
    };
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async {
        let options = BackendOptions::new(password);
        let worker = Worker::new(shared, metrics, options);
        let sweeping = worker.clone();
        tokio::task::spawn_local(async move {
            let mut tick = tokio::time::interval(SWEEP_TICK);
            loop {
                tick.tick().await;
                sweeping.sweep();
            }
        });
        listener::serve_arrivals(&worker, frontend, arrivals, load).await;
    });
}

async fn wait_for_signal() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut term = signal(SignalKind::terminate())?;
    let mut int = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
    Ok(())
}

/// Lets statements and transactions in flight end; what is left after `max` is cut off.
async fn drain(sessions: &Sessions, max: Duration) {
    sessions.drain();
    let deadline = tokio::time::Instant::now() + max;
    let mut tick = tokio::time::interval(Duration::from_millis(10));
    while sessions.count() > 0 && tokio::time::Instant::now() < deadline {
        tick.tick().await;
    }
    if sessions.count() > 0 {
        tracing::warn!(
            connections = sessions.count(),
            "the drain time is over; cutting off what is left"
        );
        sessions.interrupt_all(Interrupt::KillConnection);
        let deadline = tokio::time::Instant::now() + Duration::from_secs(1);
        while sessions.count() > 0 && tokio::time::Instant::now() < deadline {
            tick.tick().await;
        }
    }
}

/// Asks the kernel to end this process with its parent, also when the parent is killed.
fn end_with_parent() -> anyhow::Result<()> {
    let parent = nix::unistd::getppid();
    nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGTERM)?;
    anyhow::ensure!(nix::unistd::getppid() == parent, "the parent process is gone");
    Ok(())
}
