//! `wbctl explain`: why one cell differs from another.

use wbd_model::request::ExplainRequest;
use wbd_model::{CellRef, Progress};

use super::Context;
use crate::client::answer;
use crate::failure::Failure;
use crate::render::progress::Bar;
use crate::{output, render};

pub(super) async fn run(context: &Context, [a, b]: [CellRef; 2]) -> Result<(), Failure> {
    let mut client = context.connect().await?;
    let mut news = answer(client.explain(ExplainRequest { a, b })).await?;
    let mut bar = Bar::new();
    while let Some(progress) = news.message().await? {
        match progress {
            Progress::Explained(explanation) => {
                drop(bar);
                return output::print(context.style, &*explanation, render::explanation::draw);
            }
            other => bar.tell(&other),
        }
    }
    Err(Failure::Failed(
        "the daemon ended the explanation and sent no result; its log says why".to_owned(),
    ))
}
