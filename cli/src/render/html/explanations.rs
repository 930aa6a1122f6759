//! Why cells differ: causes by the share they carry, what was tried, where both runs spent their time.

use wbd_model::explanation::{Cause, Explanation};
use wbd_model::profile::Profile;
use wbd_model::request::KeptExplanation;

use super::chart::{self, Bar};
use super::element::{Field, embedded, escape, figure, fold, list, name, panel, panels, table, wide};
use crate::render::busiest::{Place, busiest};
use crate::render::explanation::{MOST_FUNCTIONS, difference, name as cell_name, percent};
use crate::render::flame;
use crate::render::listing::date;

/// All that were kept.
pub(super) fn draw(kept: &[KeptExplanation]) -> String {
    if kept.is_empty() {
        return "<p>No two cells were held against each other: <code>wbctl explain A B</code> runs both again under \
            probes, and what it finds is shown here from then on.</p>\n"
            .to_owned();
    }
    kept.iter().map(one).collect()
}

fn one(kept: &KeptExplanation) -> String {
    let explanation = &kept.explanation;
    let heading = format!(
        "{} against {}",
        cell_name(&explanation.a),
        cell_name(&explanation.b)
    );
    format!(
        "<article>\n<h3>{}</h3>\n<p>{}</p>\n{}{}{}{}{}</article>\n",
        escape(&heading),
        escape(&explanation.verdict),
        list(&facts(kept)),
        causes(explanation),
        trials(explanation),
        flames(&heading, explanation),
        functions(explanation),
    )
}

/// What a reader wants to know first.
fn facts(kept: &KeptExplanation) -> Vec<String> {
    let explanation = &kept.explanation;
    let recorded = explanation.recorded.map(difference);
    let slowdown = explanation
        .slowdown
        .map(|[a, b]| format!("Under probes A took {a:.2} times as long, B {b:.2} times"));
    let now = difference(explanation.difference);
    let facts = recorded
        .map(|recorded| format!("Recorded: {recorded}"))
        .into_iter()
        .chain([format!("{}, in turns: {now}", date(kept.created))])
        .chain(slowdown);
    let warnings = explanation.warnings.iter();
    facts
        .chain(warnings.map(|warning| format!("Warning: {warning}")))
        .collect()
}

/// Bars of the shares, and a line for each.
fn causes(explanation: &Explanation) -> String {
    if explanation.causes.is_empty() {
        return String::new();
    }
    let mut bars: Vec<Bar> = explanation.causes.iter().map(bar).collect();
    bars.push(share("unattributed", explanation.unattributed));
    let longest = bars.iter().map(|bar| bar.span[1]).fold(1.0, f64::max);
    for bar in &mut bars {
        bar.span[1] /= longest;
    }
    let title = "share of the difference that each cause carries";
    let end = format!("{:.0} %", longest * 100.0);
    let chart = panels(&panel(title, &chart::bars(title, &bars, ["0", &end])));
    let rows: Vec<Vec<Field>> = explanation.causes.iter().map(row).collect();
    chart + &table(&["share", "cause", "tried", "what was seen"], &rows)
}

fn bar(cause: &Cause) -> Bar {
    share(&cause.kind.to_string(), cause.share)
}

fn share(name: &str, share: f64) -> Bar {
    Bar {
        name: name.to_owned(),
        span: [0.0, share.max(0.0)],
        figure: format!("{} %", percent(share)),
        ..Bar::default()
    }
}

fn row(cause: &Cause) -> Vec<Field> {
    let tried = if cause.confirmed {
        name("confirmed").class("good")
    } else {
        name("").class("why")
    };
    vec![
        figure(format!("{} %", percent(cause.share))),
        name(cause.kind.to_string()),
        tried,
        name(cause.text.clone()).class("prose"),
    ]
}

fn trials(explanation: &Explanation) -> String {
    if explanation.experiments.is_empty() {
        return String::new();
    }
    let texts = explanation.experiments.iter().map(|trial| trial.text.clone());
    "<p>What was changed, one thing at a time:</p>\n".to_owned() + &list(&texts.collect::<Vec<_>>())
}

fn flames(label: &str, explanation: &Explanation) -> String {
    match flame::graph(explanation) {
        None => String::new(),
        Some(Ok(svg)) => {
            let caption = "differential flame graph: a click enlarges, Search marks names";
            wide(caption, &embedded(label, &svg))
        }
        Some(Err(error)) => format!(
            "<p>The flame graph cannot be drawn: {}</p>\n",
            escape(&error.to_string())
        ),
    }
}

/// Where the clock met each of the two.
fn functions(explanation: &Explanation) -> String {
    let of_both: String = ["A", "B"]
        .into_iter()
        .zip(&explanation.profiles)
        .map(|(which, profile)| functions_of(which, profile))
        .collect();
    if of_both.is_empty() {
        return of_both;
    }
    fold("the functions that both were in, on their CPUs", false, &of_both)
}

fn functions_of(which: &str, profile: &Profile) -> String {
    let (all, places) = busiest(profile);
    let row = |place: Place<'_>| {
        vec![
            figure(format!("{:.1} %", 100.0 * place.count as f64 / all.max(1) as f64)),
            name(place.name()).class("prose"),
            name(place.frame.module.clone()),
        ]
    };
    let rows: Vec<Vec<Field>> = places.into_iter().take(MOST_FUNCTIONS).map(row).collect();
    let title = format!("<p>{which}, {all} looks of the clock:</p>\n");
    title + &table(&["share", "function", "of"], &rows)
}
