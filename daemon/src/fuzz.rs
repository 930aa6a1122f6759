//! Ways in for the fuzz targets of `fuzz/`: what the daemon reads that others wrote. Compiled for them alone.

use std::sync::OnceLock;

use wbd_abi::{EVENT_BYTES, Event};
use wbd_linux::gate::Identity;
use wbd_linux::inherited::Inherited;
use wbd_model::request::{
    AnomaliesRequest, CompareRequest, ExperimentName, ExplainRequest, HistogramRequest, TimelineRequest,
};
use wbd_model::{Manifest, RunRequest, Size};

use crate::args;
use crate::collect::sample::{self, Expected, Guest};
use crate::launch::observed::Observed;
use crate::session::plan::Plan;
use crate::targets::assets::Assets;

/// Reads a request to run something as it comes from a client, and plans it.
pub fn run_request(bytes: &[u8]) {
    let Ok(request) = serde_json::from_reader::<_, RunRequest>(bytes) else {
        return;
    };
    let caller = Identity {
        uid: 65_534,
        gid: 65_534,
        groups: Vec::new(),
    };
    let _ = Plan::new(request, caller, inherited().clone(), assets());
}

/// Reads every other request as it comes from a client.
pub fn question(bytes: &[u8]) {
    let _ = serde_json::from_reader::<_, ExperimentName>(bytes);
    let _ = serde_json::from_reader::<_, CompareRequest>(bytes);
    let _ = serde_json::from_reader::<_, AnomaliesRequest>(bytes);
    let _ = serde_json::from_reader::<_, ExplainRequest>(bytes);
    let _ = serde_json::from_reader::<_, HistogramRequest>(bytes);
    let _ = serde_json::from_reader::<_, TimelineRequest>(bytes);
}

/// Reads a configuration file.
pub fn configuration(text: &str) {
    let _ = args::parse(text);
}

/// Reads a workload's manifest and asks it all that it is asked.
pub fn manifest(text: &str) {
    let Ok(manifest) = toml::from_str::<Manifest>(text) else {
        return;
    };
    for size in Size::ALL {
        let args = manifest.sizes.get(&size).map(|problem| problem.args.clone());
        assert!(args.is_none_or(|args| manifest.size_of(&args).is_some()));
    }
    let names: Vec<String> = manifest.variants.keys().cloned().collect();
    for name in names {
        assert!(manifest.clone().variant(&name).is_some());
    }
}

/// Reads records of the ring buffer, and makes a sample of them in each way there is.
pub fn events(bytes: &[u8]) {
    let events: Vec<Event> = bytes.chunks(EVENT_BYTES).filter_map(Event::from_bytes).collect();
    let root = events.first().map_or(0, |event| event.pid);
    for guest in [Guest::Entry, Guest::Marked, Guest::Inferred, Guest::Contained] {
        let observed = Observed {
            root,
            events: events.clone(),
            ..Observed::default()
        };
        let expected = Expected { output: None, guest };
        let _ = sample::of_process(observed, &expected, 0, 0);
    }
}

fn inherited() -> &'static Inherited {
    static OURS: OnceLock<Inherited> = OnceLock::new();
    OURS.get_or_init(|| Inherited::of_this_thread().expect("/proc tells of this thread"))
}

/// The workloads of this checkout, and no runner.
fn assets() -> &'static Assets {
    static OURS: OnceLock<Assets> = OnceLock::new();
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    OURS.get_or_init(|| Assets {
        runners: root.into(),
        workloads: format!("{root}/workloads").into(),
    })
}
