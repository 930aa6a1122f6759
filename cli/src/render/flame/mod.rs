//! Two runs as one differential flame graph: B. Gregg, *Differential Flame Graphs* (2014), drawn by inferno.
//!
//! Widths are the time of the longer run; a frame's colour tells how much longer (red) or shorter (blue) the time is that
//! was spent in it itself. What only the quicker run did has no width.

mod fold;

use std::collections::BTreeSet;
use std::io;

use inferno::flamegraph::{Options, TextTruncateDirection, from_lines};
use wbd_model::compare::ComparedCell;
use wbd_model::explanation::Explanation;

use self::fold::{Folded, fold};
use super::table::plain;
use super::units::duration;

/// A frame that is narrower, in percent, is not drawn.
const LEAST_PERCENT: f64 = 0.05;

/// The graph as SVG; none where nothing was run under probes.
pub(crate) fn graph(explanation: &Explanation) -> Option<io::Result<String>> {
    let [a, b] = &explanation.profiles[..] else {
        return None;
    };
    let slowdown = explanation.slowdown.unwrap_or([1.0; 2]);
    let (a, b) = (fold(a, slowdown[0]), fold(b, slowdown[1]));
    let cells = [&explanation.a, &explanation.b].map(name);
    Some(if explanation.difference.ns >= 0 {
        draw(&lines(&b, &a), &a, [&cells[0], &cells[1]])
    } else {
        draw(&lines(&a, &b), &b, [&cells[1], &cells[0]])
    })
}

fn name(cell: &ComparedCell) -> String {
    plain(&format!("{}:{}/{}", cell.experiment, cell.target, cell.workload))
}

/// A line for each stack: the microseconds that the quicker run spent there, and that the longer one did.
fn lines(quicker: &Folded, longer: &Folded) -> Vec<String> {
    let stacks: BTreeSet<&String> = quicker.keys().chain(longer.keys()).collect();
    let of = |folded: &Folded, stack| folded.get(stack).map_or(0, |ns| (ns / 1e3).round() as u64);
    let line = |stack| format!("{stack} {} {}", of(quicker, stack), of(longer, stack));
    stacks.into_iter().map(line).collect()
}

fn draw(lines: &[String], longer: &Folded, [of, against]: [&str; 2]) -> io::Result<String> {
    let mut options = Options::default();
    let whole: f64 = longer.values().sum();
    options.title = format!("{of} against {against}");
    options.subtitle = Some(format!(
        "width: {} of thread time in one run of {of}; red: spends longer here than {against}, blue: shorter",
        duration(whole as u64)
    ));
    "us".clone_into(&mut options.count_name);
    options.text_truncate_direction = TextTruncateDirection::Right;
    options.min_width = LEAST_PERCENT;
    let mut svg = Vec::new();
    from_lines(&mut options, lines.iter().map(String::as_str), &mut svg)?;
    String::from_utf8(svg).map_err(io::Error::other)
}

#[cfg(test)]
pub(in crate::render) mod tests {
    use roxmltree::{Document, ParsingOptions};
    use wbd_model::profile::{Counted, Layer, Profile};

    use super::fold::tests::profile;
    pub(in crate::render) use super::fold::tests::{of, stack};
    use super::*;

    /// The run twice, but that A computes longer in a function of the guest's.
    pub(in crate::render) fn explanation() -> Explanation {
        let cell = |target| {
            format!(r#"{{"experiment":"7","number":0,"target":"{target}","workload":"fasta","args":[]}}"#)
        };
        let (a, b) = (cell("slow"), cell("quick"));
        let document = format!(
            r#"{{"schema":1,"a":{a},"b":{b},"difference":{{"ns":5400,"ratio":4.0}},"causes":[],"unattributed":0.0,
                "slowdown":[1.0,1.0],"verdict":""}}"#
        );
        let mut slow = profile();
        slow.threads[0].user_ns = 6_000_000;
        let planted = [of("planted<T>", Layer::Guest), of("_start", Layer::Guest)];
        slow.stacks.push(stack(1, Counted::OnCpu, 30, 0, &planted));
        Explanation {
            profiles: vec![slow, profile()],
            ..serde_json::from_str(&document).unwrap()
        }
    }

    /// Title and colour of the frame of a function.
    fn frame(svg: &str, function: &str) -> (String, String) {
        let options = ParsingOptions {
            allow_dtd: true,
            ..ParsingOptions::default()
        };
        let document = Document::parse_with_options(svg, options).unwrap();
        let titles = document.descendants().filter(|node| node.has_tag_name("title"));
        let mut named = titles.filter(|node| node.text().is_some_and(|text| text.starts_with(function)));
        let title = named.next().unwrap_or_else(|| panic!("no {function} in {svg}"));
        let rectangle = title.next_sibling_element().unwrap();
        (
            title.text().unwrap().to_owned(),
            rectangle.attribute("fill").unwrap().to_owned(),
        )
    }

    fn drawn(explanation: &Explanation) -> String {
        graph(explanation).unwrap().unwrap()
    }

    #[test]
    fn what_takes_longer_is_red_with_its_name_and_time() {
        let svg = drawn(&explanation());
        let (title, colour) = frame(&svg, "planted<T> [guest]");
        assert!(title.contains("(5,455 us, ") && title.contains("; +"), "{title}");
        let [red, green, blue] = rgb(&colour);
        assert!(red == 255 && green < 150 && green == blue, "{colour}");
    }

    #[test]
    fn the_longer_run_is_drawn_whichever_it_is() {
        let mut turned = explanation();
        turned.profiles.reverse();
        turned.difference.ns = -turned.difference.ns;
        std::mem::swap(&mut turned.a, &mut turned.b);
        assert_eq!(drawn(&turned), drawn(&explanation()));
    }

    #[test]
    fn nothing_of_it_comes_from_elsewhere() {
        let mut evil = explanation();
        let frame = &mut evil.profiles[0].stacks[0].frames[0];
        frame.function = "</title><script>alert(1)</script>\u{1b}\n a 1 2".to_owned();
        let svg = drawn(&evil);
        let options = ParsingOptions {
            allow_dtd: true,
            ..ParsingOptions::default()
        };
        let document = Document::parse_with_options(&svg, options).unwrap();
        let mut scripts = document.descendants().filter(|node| node.has_tag_name("script"));
        assert!(scripts.next().unwrap().attributes().len() == 1 && scripts.next().is_none());
        for loader in ["@import", "href=", "src=", "url(http", "<image", "<foreignObject"] {
            assert!(!svg.contains(loader), "{loader}");
        }
    }

    #[test]
    fn without_runs_under_probes_there_is_none() {
        let nothing = Explanation {
            profiles: Vec::new(),
            ..explanation()
        };
        assert!(graph(&nothing).is_none());
        let empty = Explanation {
            profiles: vec![Profile::default(), Profile::default()],
            ..explanation()
        };
        assert!(graph(&empty).unwrap().is_err());
    }

    fn rgb(colour: &str) -> [u8; 3] {
        let numbers = colour.trim_start_matches("rgb(").trim_end_matches(')');
        let numbers: Vec<u8> = numbers.split(',').map(|number| number.parse().unwrap()).collect();
        numbers.try_into().unwrap()
    }
}
