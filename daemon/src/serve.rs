//! The daemon's life: take what it needs, serve until told to stop, leave nothing behind.

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use sd_notify::NotifyState;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use wbd_linux::cgroup::{Hierarchies, Nest, Runs};
use wbd_model::codec::{MAX_MESSAGE_BYTES, MAX_REQUEST_BYTES};
use wbd_model::service::wbd_server::WbdServer;

use crate::api::door;
use crate::api::service::Service;
use crate::api::turnstile::Turnstiles;
use crate::args::Settings;
use crate::collect::kernel::Kernel;
use crate::engine::Engine;
use crate::launch::bias::Calibration;
use crate::launch::process::Launcher;
use crate::launch::slot::Slot;
use crate::manager;
use crate::session::admission::Admissions;
use crate::session::laboratory::{Laboratory, LaunchThread};
use crate::session::queue::Queue;
use crate::socket::Lock;
use crate::store::{Store, Writer};
use crate::targets::assets::Assets;
use crate::targets::precompiled::Cache;
use crate::targets::runners::Runners;

/// Requests of one connection that may be under way.
const STREAMS_OF_ONE_CONNECTION: u32 = 16;
/// Bytes of requests that one connection may send before they are read.
const WINDOW_BYTES: u32 = 64 * 1024;
/// How long clients may take to hang up once the daemon ends: some never read what it says.
const FAREWELL: Duration = Duration::from_secs(3);

/// What the daemon holds while it lives. Fields are dropped in this order.
struct Holdings {
    launching: Queue<LaunchThread>,
    runs: Runs,
    store: Store,
    assets: Assets,
    runners: Runners,
    /// Held open: while a connection lives, reading needs no room on the disk.
    _open: Writer,
    _lock: Lock,
}

/// Serves until SIGTERM or SIGINT.
pub(crate) fn serve(settings: &Settings) -> anyhow::Result<()> {
    let holdings = take(settings)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the event loop")?;
    runtime.block_on(answer(settings, &holdings))
}

fn take(settings: &Settings) -> anyhow::Result<Holdings> {
    let launcher = Launcher::open()?; // before all else: its descriptors are to have low numbers
    let store = Store::open(&settings.state)?;
    let lock = crate::socket::lock(&settings.state)?;
    let mut writer = store.writer()?;
    writer.interrupt_unfinished()?;
    let instance = instance(&settings.state);
    clear_containers(&instance);
    let nest = Nest::take(Hierarchies::detect()?, &instance)?;
    let runs = nest.runs();
    let runners = Runners::default();
    let assets = Assets::beside_this_program()?;
    let laboratory = Laboratory {
        launcher,
        kernel: Kernel::load(&instance)?,
        slot: Slot::new(nest),
        store: store.clone(),
        code: Cache::open(&settings.state)?,
        runners: runners.clone(),
        calibration: Calibration::by(assets.clock()),
        allowance: settings.limits.clone(),
        instance,
    };
    Ok(Holdings {
        launching: Queue::new(LaunchThread::start(laboratory).context("cannot start the launch thread")?),
        runs,
        store,
        assets,
        runners,
        _open: writer,
        _lock: lock,
    })
}

/// Removes the containers an earlier daemon of this name left behind, if there is an engine to ask.
fn clear_containers(instance: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let Ok(runtime) = runtime else { return };
    let removed = runtime.block_on(async {
        let engine = Engine::here().await.ok()?;
        Some(engine.remove_leftovers(instance).await)
    });
    match removed {
        None | Some(Ok(0)) => {}
        Some(Ok(count)) => tracing::info!("removed {count} containers that an earlier wbd left behind"),
        Some(Err(error)) => tracing::warn!("containers of an earlier wbd may be left: {error}"),
    }
}

/// A name for this daemon's cgroups and containers: the same after a restart, another for another state directory.
fn instance(state: &Path) -> String {
    let state = state.canonicalize().unwrap_or_else(|_| state.to_owned());
    format!(
        "{:016x}",
        xxhash_rust::xxh3::xxh3_64(state.as_os_str().as_bytes())
    )
}

async fn answer(settings: &Settings, holdings: &Holdings) -> anyhow::Result<()> {
    let (stopping, stop) = watch::channel(false);
    let service = Service {
        assets: holdings.assets.clone(),
        runners: holdings.runners.clone(),
        store: holdings.store.clone(),
        queue: holdings.launching.clone(),
        admissions: Admissions::new(settings.limits.clone()),
        runs: holdings.runs.clone(),
        stop,
    };
    let service = WbdServer::new(service)
        .max_encoding_message_size(MAX_MESSAGE_BYTES)
        .max_decoding_message_size(MAX_REQUEST_BYTES);
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    let (listener, _file) = crate::socket::bind(&settings.socket)?;
    let place = listener.local_addr().ok();
    let place = place.as_ref().and_then(|address| address.as_pathname());
    eprintln!("listening on {}", place.unwrap_or(&settings.socket).display());
    manager::tell(NotifyState::Ready);
    let mut told = stopping.subscribe();
    let ended = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = manager::reassure() => {}
        }
        manager::tell(NotifyState::Stopping);
        let _ = stopping.send(true);
    };
    let serving = tonic::transport::Server::builder()
        .max_concurrent_streams(STREAMS_OF_ONE_CONNECTION)
        .initial_stream_window_size(WINDOW_BYTES)
        .initial_connection_window_size(WINDOW_BYTES)
        .layer(Turnstiles)
        .add_service(service)
        .serve_with_incoming_shutdown(door::open(listener), ended);
    // An experiment under way was told to end; it takes its processes and containers with it.
    let last_experiment = async {
        let _ = told.wait_for(|stopping| *stopping).await;
        let (_, turn) = holdings.launching.enter();
        turn.await.guarded.end();
        tokio::time::sleep(FAREWELL).await;
    };
    tokio::select! {
        served = serving => served.context("the server failed")?,
        () = last_experiment => return Ok(()),
    }
    let (_, turn) = holdings.launching.enter();
    turn.await.guarded.end();
    Ok(())
}
