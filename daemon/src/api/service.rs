//! The methods of the service.

use std::path::Path;
use std::pin::Pin;
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::sync::{mpsc, oneshot};
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};
use wbd_linux::cgroup::Runs;
use wbd_model::anomaly::Anomalies;
use wbd_model::compare::Comparison;
use wbd_model::document::Experiment;
use wbd_model::explanation::Explanation;
use wbd_model::host::{Diagnosis, Unavailable};
use wbd_model::report::Report;
use wbd_model::request::{
    AnomaliesRequest, CompareRequest, Empty, ExperimentList, ExperimentName, ExplainRequest, Explanations,
    HistogramRequest, Histograms, KeptExplanation, Progress, RunBatch, RunRequest, TargetList,
    TimelineRequest, Timelines, WorkloadList,
};
use wbd_model::service::wbd_server::Wbd;

use super::{answers, caller, questions, status};
use crate::doctor::{self, OwnFigures};
use crate::engine::Engine;
use crate::launch::process::MeansError;
use crate::launch::{hits, weight};
use crate::powers;
use crate::session::admission::{Admission, Admissions};
use crate::session::cancel::Cancel;
use crate::session::experiment::{self, ExperimentError};
use crate::session::explain;
use crate::session::gatekeeper;
use crate::session::laboratory::{Laboratory, LaunchThread};
use crate::session::news::News;
use crate::session::plan::Plan;
use crate::session::queue::{Queue, Turn};
use crate::store::{Reader, Removal, Store};
use crate::targets::assets::Assets;
use crate::targets::catalogue::{self, ContainerEngine};
use crate::targets::runners::Runners;
use crate::targets::workloads;

/// Messages to a client that may wait for it to read them.
const CLIENT_QUEUE: usize = 16;

/// Pieces of an answer that may wait for a client to read them.
const RUN_BATCHES: usize = 2;

/// The service.
pub(crate) struct Service {
    /// The daemon's files.
    pub(crate) assets: Assets,
    /// What is known of the engines' runners.
    pub(crate) runners: Runners,
    /// The store, for reading.
    pub(crate) store: Store,
    /// What experiments need, one at a time.
    pub(crate) queue: Queue<LaunchThread>,
    /// How many of them each user may have there, and what else they may have.
    pub(crate) admissions: Admissions,
    /// Where runs are.
    pub(crate) runs: Runs,
    /// Raised when the daemon is to stop.
    pub(crate) stop: Stop,
}

impl Service {
    /// Answers a request from the store, on a thread that may wait for the disk.
    async fn read<T: Send + 'static, A: Send + 'static>(
        &self,
        request: Request<T>,
        answer: impl FnOnce(&Reader, &T) -> Result<A, Status> + Send + 'static,
    ) -> Result<Response<A>, Status> {
        let scope = caller::scope(&caller::of(&request)?);
        let store = self.store.clone();
        let request = request.into_inner();
        blocking(move || {
            let reader = store.reader(scope).map_err(|error| status::of_store(&error))?;
            let answer = answer(&reader, &request);
            drop(reader);
            wbd_linux::process::trim_heap(); // an answer may be made of millions of runs
            answer
        })
        .await
        .map(Response::new)
    }
}

impl Service {
    /// Whether this user may have what a plan takes.
    fn allow(&self, plan: &Plan) -> Result<(), Status> {
        let allowed = self.admissions.allowance().check(plan.caller.uid, plan.wanted());
        allowed.map_err(|refusal| status::of_refusal(&refusal))
    }

    /// Lets a plan into the queue, if its user may have what it takes.
    fn admit(&self, plan: &Plan) -> Result<Admission, Status> {
        if plan.caller.uid != 0
            && let Some(why) = powers::exposed()
        {
            return Err(Status::failed_precondition(why));
        }
        self.allow(plan)?;
        let admitted = self.admissions.admit(plan.caller.uid);
        admitted.map_err(|refusal| status::of_refusal(&refusal))
    }

    /// Has work done when its turn comes, with the gate looked after meanwhile.
    fn queue_up(&self, work: impl Work, admission: Admission, client: Client) {
        let (queue, runs, stop) = (self.queue.clone(), self.runs.clone(), self.stop.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = take_turn(work, queue, client, stop) => {}
                () = gatekeeper::watch(&runs) => {}
            }
            drop(admission);
        });
    }
}

/// What our probes add to a launch, what their hits cost, and how early they see a first instruction; or why that cannot
/// be measured now.
async fn own_figures(turn: Option<Turn<LaunchThread>>, assets: &Assets) -> Result<OwnFigures, Unavailable> {
    let turn = turn.ok_or_else(|| Unavailable {
        why: "an experiment is running".to_owned(),
        mend: "ask again when it is over".to_owned(),
    })?;
    let program = assets.program("empty", "static")?;
    let (answer, measured) = oneshot::channel();
    turn.guarded.give(move |laboratory| {
        let _ = answer.send(weigh(laboratory, &program)); // the client may have gone
    });
    let failed = |why: String| Unavailable {
        why,
        mend: "see the daemon's log".to_owned(),
    };
    match measured.await {
        Ok(measured) => measured.map_err(|error| failed(error.to_string())),
        Err(_) => Err(failed("the measurement broke off".to_owned())),
    }
}

fn weigh(laboratory: &mut Laboratory, program: &Path) -> Result<OwnFigures, MeansError> {
    let Laboratory {
        launcher,
        kernel,
        slot,
        calibration,
        ..
    } = laboratory;
    launcher.begin()?;
    Ok(OwnFigures {
        weight: weight::measure(launcher, kernel, slot, program)?,
        hits: hits::measure(launcher, kernel, slot, program)?, // which leaves the kernel side attached
        bias: calibration.measure(launcher, kernel, slot)?,
    })
}

/// The container engine, or why there is none.
async fn container_engine() -> Result<ContainerEngine, Unavailable> {
    let engine = Engine::here().await?;
    engine.can_nest().await?;
    let about = engine.about().await?;
    Ok(ContainerEngine {
        version: format!(
            "Docker {}, containerd {}, runc {}",
            about.engine, about.containerd, about.runc
        ),
        socket: engine.socket().to_owned(),
    })
}

async fn blocking<A: Send + 'static>(
    work: impl FnOnce() -> Result<A, Status> + Send + 'static,
) -> Result<A, Status> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err(Status::internal("the daemon failed at this request; see its log")))
}

#[tonic::async_trait]
impl Wbd for Service {
    type RunStream = Pin<Box<dyn Stream<Item = Result<Progress, Status>> + Send>>;
    type ExplainStream = Self::RunStream;
    type RunsStream = Pin<Box<dyn Stream<Item = Result<RunBatch, Status>> + Send>>;

    async fn doctor(&self, _: Request<Empty>) -> Result<Response<Diagnosis>, Status> {
        let engine = container_engine().await.map(|engine| engine.version);
        let figures = own_figures(self.queue.try_enter(), &self.assets).await;
        blocking(move || {
            let checks = vec![
                doctor::check_container_engine(&engine),
                doctor::check_own_weight(&figures),
                doctor::check_hits(&figures),
                doctor::check_entry_bias(&figures),
            ];
            Ok(doctor::diagnose(checks))
        })
        .await
        .map(Response::new)
    }

    async fn targets(&self, _: Request<Empty>) -> Result<Response<TargetList>, Status> {
        let (assets, runners) = (self.assets.clone(), self.runners.clone());
        let engine = container_engine().await;
        blocking(move || {
            Ok(TargetList {
                targets: catalogue::list(&assets, &runners, &engine),
            })
        })
        .await
        .map(Response::new)
    }

    async fn workloads(&self, _: Request<Empty>) -> Result<Response<WorkloadList>, Status> {
        let assets = self.assets.clone();
        blocking(move || {
            Ok(WorkloadList {
                workloads: workloads::list(&assets),
            })
        })
        .await
        .map(Response::new)
    }

    async fn run(&self, request: Request<RunRequest>) -> Result<Response<Self::RunStream>, Status> {
        let caller = caller::of(&request)?;
        let inherited = caller::inherited(&request)?;
        let plan = Plan::new(request.into_inner(), caller, inherited, &self.assets);
        let plan = plan.map_err(|error| status::of_plan(&error))?;
        let admission = self.admit(&plan)?;
        let (client, messages) = mpsc::channel(CLIENT_QUEUE);
        let work = move |laboratory: &mut Laboratory, news: &mut News, cancel: &Cancel| {
            let document = experiment::run(laboratory, &plan, doctor::machine(), news, cancel)?;
            Ok(Progress::Finished(Box::new(document)))
        };
        self.queue_up(work, admission, client);
        Ok(Response::new(Box::pin(ReceiverStream::new(messages))))
    }

    async fn explain(
        &self,
        request: Request<ExplainRequest>,
    ) -> Result<Response<Self::ExplainStream>, Status> {
        let caller = caller::of(&request)?;
        let inherited = caller::inherited(&request)?;
        let assets = self.assets.clone();
        let asked = self
            .read(request, move |reader, request| {
                questions::asked(reader, request, &caller, &inherited, &assets)
            })
            .await?
            .into_inner();
        self.allow(&asked[0].plan)?;
        let admission = self.admit(&asked[1].plan)?;
        let assets = self.assets.clone();
        let (client, messages) = mpsc::channel(CLIENT_QUEUE);
        let work = move |laboratory: &mut Laboratory, news: &mut News, cancel: &Cancel| {
            let explanation = explain::run(laboratory, asked, &assets, news, cancel)?;
            Ok(Progress::Explained(Box::new(keep(laboratory, explanation))))
        };
        self.queue_up(work, admission, client);
        Ok(Response::new(Box::pin(ReceiverStream::new(messages))))
    }

    async fn list(&self, request: Request<Empty>) -> Result<Response<ExperimentList>, Status> {
        self.read(request, |reader, _| {
            let experiments = reader.list().map_err(|error| status::of_store(&error))?;
            Ok(ExperimentList { experiments })
        })
        .await
    }

    async fn show(&self, request: Request<ExperimentName>) -> Result<Response<Experiment>, Status> {
        self.read(request, answers::show).await
    }

    async fn runs(&self, request: Request<ExperimentName>) -> Result<Response<Self::RunsStream>, Status> {
        let scope = caller::scope(&caller::of(&request)?);
        let store = self.store.clone();
        let name = request.into_inner().experiment;
        let (client, pieces) = mpsc::channel(RUN_BATCHES);
        tokio::task::spawn_blocking(move || {
            let reader = store.reader(scope).map_err(|error| status::of_store(&error));
            if let Err(status) = reader.and_then(|reader| answers::runs(&reader, &name, &client)) {
                let _ = client.blocking_send(Err(status)); // the client may have gone
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(pieces))))
    }

    async fn remove(&self, request: Request<ExperimentName>) -> Result<Response<Empty>, Status> {
        let scope = caller::scope(&caller::of(&request)?);
        let name = request.into_inner().experiment;
        let store = self.store.clone();
        blocking(move || {
            let removed = store.writer().and_then(|mut writer| writer.remove(scope, &name));
            match removed.map_err(|error| status::of_store(&error))? {
                Removal::Removed => Ok(Empty {}),
                Removal::Unknown => Err(status::no_experiment(&name)),
                Removal::Running => Err(Status::failed_precondition(format!(
                    "experiment {name} is running; end it first (interrupt its client)"
                ))),
            }
        })
        .await
        .map(Response::new)
    }

    async fn histogram(&self, request: Request<HistogramRequest>) -> Result<Response<Histograms>, Status> {
        self.read(request, answers::histograms).await
    }

    async fn timeline(&self, request: Request<TimelineRequest>) -> Result<Response<Timelines>, Status> {
        self.read(request, answers::timelines).await
    }

    async fn compare(&self, request: Request<CompareRequest>) -> Result<Response<Comparison>, Status> {
        self.read(request, answers::compare).await
    }

    async fn anomalies(&self, request: Request<AnomaliesRequest>) -> Result<Response<Anomalies>, Status> {
        self.read(request, answers::anomalies).await
    }

    async fn explanations(&self, request: Request<ExperimentName>) -> Result<Response<Explanations>, Status> {
        self.read(request, answers::explanations).await
    }

    async fn report(&self, request: Request<ExperimentName>) -> Result<Response<Report>, Status> {
        let assets = self.assets.clone();
        self.read(request, move |reader, name| {
            answers::report(reader, &assets, name)
        })
        .await
    }
}

/// Keeps an explanation for the page of its experiment; where that fails it says so, and is none the worse.
fn keep(laboratory: &Laboratory, explanation: Explanation) -> Explanation {
    let created = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let mut kept = KeptExplanation { created, explanation };
    let writer = laboratory.store.writer();
    if let Err(error) = writer.and_then(|mut writer| writer.keep_explanation(&kept)) {
        kept.explanation
            .warnings
            .push(format!("it is not kept for the page of its experiment: {error}"));
    }
    kept.explanation
}

type Client = mpsc::Sender<Result<Progress, Status>>;
type Stop = tokio::sync::watch::Receiver<bool>;

/// What is done on the launch thread for a client: it ends in a last message.
trait Work:
    FnOnce(&mut Laboratory, &mut News, &Cancel) -> Result<Progress, ExperimentError> + Send + 'static
{
}

impl<W> Work for W where
    W: FnOnce(&mut Laboratory, &mut News, &Cancel) -> Result<Progress, ExperimentError> + Send + 'static
{
}

/// Work from its place in the queue to its end.
async fn take_turn(work: impl Work, queue: Queue<LaunchThread>, client: Client, stop: Stop) {
    let (ahead, turn) = queue.enter();
    if ahead > 0 {
        let _ = client.send(Ok(Progress::Queued { ahead })).await;
    }
    let mut stopped = stop.clone();
    let turn = tokio::select! {
        turn = turn => turn,
        () = client.closed() => return,
        _ = stopped.wait_for(|stop| *stop) => return,
    };
    supervise(turn, work, client, stop).await;
}

/// Has the launch thread do the work; ends it where the client goes or the daemon stops.
async fn supervise(turn: Turn<LaunchThread>, work: impl Work, client: Client, mut stop: Stop) {
    let cancel = match Cancel::new() {
        Ok(cancel) => cancel,
        Err(error) => return tracing::error!("cannot make an event descriptor: {error}"),
    };
    let (done, mut end) = mpsc::channel::<()>(1);
    let (watched, flag) = (client.clone(), cancel.clone());
    turn.guarded.give(move |laboratory| {
        conduct(laboratory, work, client, &flag);
        drop(done);
    });
    tokio::select! {
        () = watched.closed() => cancel.cancel(),
        _ = stop.wait_for(|stop| *stop) => cancel.cancel(),
        _ = end.recv() => {}
    }
    drop(watched);
    end.recv().await;
}

/// Does the work and tells the client how it ended.
fn conduct(laboratory: &mut Laboratory, work: impl Work, client: Client, cancel: &Cancel) {
    let mut news = News::new(client);
    match work(laboratory, &mut news, cancel) {
        Ok(last) => news.end(Ok(last)),
        Err(error) => {
            tracing::warn!("an experiment ended early: {error}");
            news.end(Err(status::of_experiment(&error)));
        }
    }
    wbd_linux::process::trim_heap(); // an idle daemon keeps none of an experiment's memory
}
