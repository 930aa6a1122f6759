//! `wbctl explain`: why one cell differs from another.

use std::path::{Path, PathBuf};

use wbd_model::explanation::Explanation;
use wbd_model::request::ExplainRequest;
use wbd_model::{CellRef, Progress};

use super::Context;
use crate::client::answer;
use crate::failure::Failure;
use crate::render::flame;
use crate::render::progress::Bar;
use crate::{output, render};

pub(super) async fn run(
    context: &Context,
    [a, b]: [CellRef; 2],
    flamegraph: Option<PathBuf>,
) -> Result<(), Failure> {
    let explanation = explained(context, [a, b]).await?;
    output::print(context.style, &explanation, render::explanation::draw)?;
    flamegraph.map_or(Ok(()), |file| draw(&explanation, &file))
}

async fn explained(context: &Context, [a, b]: [CellRef; 2]) -> Result<Explanation, Failure> {
    let mut client = context.connect().await?;
    let mut news = answer(client.explain(ExplainRequest { a, b })).await?;
    let mut bar = Bar::new();
    while let Some(progress) = news.message().await? {
        match progress {
            Progress::Explained(explanation) => return Ok(*explanation),
            other => bar.tell(&other),
        }
    }
    Err(Failure::Failed(
        "the daemon ended the explanation and sent no result; its log says why".to_owned(),
    ))
}

fn draw(explanation: &Explanation, file: &Path) -> Result<(), Failure> {
    let failed = |why: String| Failure::Failed(format!("no flame graph in {}: {why}", file.display()));
    let graph = flame::graph(explanation).ok_or_else(|| {
        failed(
            "nothing was run under probes: there is no difference to explain, or no way to look".to_owned(),
        )
    })?;
    graph
        .and_then(|svg| std::fs::write(file, svg))
        .map_err(|error| failed(error.to_string()))
}
