//! The phases of a launch as a waterfall. Its axis is the launch, up to the guest's first instruction: what runs
//! after that is often a thousand times longer and would leave no room; it is listed without a bar.

use wbd_model::InstantName;
use wbd_model::document::{Timeline, TimelineMark};
use wbd_model::request::Timelines;

use super::table::{left, plain, right, table};
use super::units::duration;
use super::workload;

/// Width of the axis in columns.
const AXIS_COLUMNS: usize = 40;

/// The part of the timeline that bars are drawn for, in nanoseconds since `launch`.
#[derive(Clone, Copy)]
struct Axis {
    from: i64,
    to: i64,
}

/// A drawing for each cell.
pub(crate) fn draw(timelines: &Timelines) -> String {
    if timelines.cells.is_empty() {
        return format!(
            "no cell of {} has such a run; where none counts, `--run N` draws one all the same\n",
            plain(&timelines.experiment)
        );
    }
    timelines.cells.iter().map(cell).collect::<Vec<_>>().join("\n")
}

fn cell(timeline: &Timeline) -> String {
    let of = timeline.run.map_or_else(
        || "medians of the runs that count".to_owned(),
        |run| format!("run {run}"),
    );
    let title = format!(
        "{}/{}, {of}\n",
        plain(&timeline.target),
        plain(&workload(&timeline.workload, timeline.size))
    );
    let Some(axis) = axis(&timeline.marks) else {
        return title + "no instants were seen\n";
    };
    let headings = [
        left("phase"),
        left(&ruler(axis)),
        right("takes"),
        right("ends at"),
        left("end seen by"),
    ];
    let rows = timeline
        .marks
        .windows(2)
        .map(|pair| row(&pair[0], &pair[1], axis))
        .collect();
    title + &table(&headings, rows)
}

/// Up to `guest`, or to the end where it was not seen; none without instants.
fn axis(marks: &[TimelineMark]) -> Option<Axis> {
    let guest = marks.iter().find(|mark| mark.name == InstantName::Guest);
    Some(Axis {
        from: marks.first()?.offset_ns,
        to: guest.or(marks.last())?.offset_ns,
    })
}

/// The ends of the axis over the bars.
fn ruler(axis: Axis) -> String {
    let (from, to) = (offset(axis.from), offset(axis.to));
    let between = AXIS_COLUMNS.saturating_sub(from.len());
    format!("{from}{to:>between$}")
}

fn row(from: &TimelineMark, to: &TimelineMark, axis: Axis) -> Vec<String> {
    vec![
        format!("{} → {}", from.name, to.name),
        bar(from.offset_ns, to.offset_ns, axis),
        duration(to.offset_ns.abs_diff(from.offset_ns)),
        offset(to.offset_ns),
        seen_by(to),
    ]
}

fn seen_by(mark: &TimelineMark) -> String {
    let method = plain(&mark.method);
    match mark.confidence {
        Some(confidence) => format!("{method} ({})", confidence.as_str()),
        None => method,
    }
}

fn offset(ns: i64) -> String {
    let sign = if ns < 0 { "-" } else { "" };
    sign.to_owned() + &duration(ns.unsigned_abs())
}

/// Where the phase lies on the axis: at least one column for what has a length.
fn bar(from: i64, to: i64, axis: Axis) -> String {
    if to > axis.to || to <= from {
        return String::new();
    }
    let start = column(from, axis).min(AXIS_COLUMNS - 1);
    let length = (column(to, axis).saturating_sub(start)).max(1);
    " ".repeat(start) + &"█".repeat(length)
}

fn column(offset: i64, axis: Axis) -> usize {
    let span = i128::from(axis.to) - i128::from(axis.from);
    let along = i128::from(offset) - i128::from(axis.from);
    (along * AXIS_COLUMNS as i128 / span.max(1)) as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::specimen;
    use super::*;

    #[test]
    fn the_waterfall_reads_well() {
        let drawn = draw(&specimen::timelines());
        println!("{drawn}");
        assert!(drawn.contains("medians of the runs that count"));
        assert!(drawn.contains("run 3"));
        let exit = drawn
            .lines()
            .find(|line| line.starts_with("guest → exit"))
            .unwrap();
        assert!(!exit.contains('█'), "{exit}");
    }

    #[test]
    fn nothing_to_draw_is_said() {
        assert!(
            draw(&Timelines {
                experiment: "7".into(),
                cells: vec![]
            })
            .contains("no cell of 7")
        );
        let blind = Timeline {
            marks: vec![],
            ..specimen::timelines().cells.remove(0)
        };
        assert!(cell(&blind).contains("no instants"));
    }

    proptest! {
        #[test]
        fn bars_stay_on_the_axis_and_follow_each_other(mut offsets in prop::collection::vec(any::<i64>(), 2..12)) {
            offsets.sort_unstable();
            let axis = Axis { from: offsets[0], to: offsets[offsets.len() - 1] };
            for pair in offsets.windows(2) {
                let drawn = bar(pair[0], pair[1], axis);
                prop_assert!(drawn.chars().count() <= AXIS_COLUMNS, "{:?}", drawn);
                prop_assert_eq!(drawn.is_empty(), pair[0] == pair[1]);
            }
        }
    }
}
