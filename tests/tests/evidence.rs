//! What an explanation leaves to look at: a flame graph, and a place on its experiment's page.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use roxmltree::{Document, ParsingOptions};
use wbd_tests::Home;

/// A document with a type, as pages and SVG have.
fn parse(text: &str) -> Document<'_> {
    let options = ParsingOptions {
        allow_dtd: true,
        ..ParsingOptions::default()
    };
    Document::parse_with_options(text, options).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// Two cells of one program, of which one looks up by scanning; their names.
fn recorded(home: &Home) -> [String; 2] {
    let program = home.program("lookups");
    ["scanning", "halving"].map(|how| {
        let made = home.measure(&["-n", "3", "--", &program, how, "200000"]);
        format!("{}:0", made.experiment)
    })
}

/// What the widest frame of a function says of itself, and its colour. A stack that could not be followed to its end puts
/// one elsewhere.
fn frame(svg: &str, function: &str) -> (String, String) {
    let document = parse(svg);
    let titles = document
        .descendants()
        .filter(|node| node.has_tag_name(("http://www.w3.org/2000/svg", "title")));
    let starts =
        |title: &roxmltree::Node<'_, '_>| title.text().is_some_and(|text| text.starts_with(function));
    let time = |title: &roxmltree::Node<'_, '_>| {
        let (_, time) = title.text()?.split_once('(')?;
        time.split_once(" us")?.0.replace(',', "").parse::<u64>().ok()
    };
    let title = titles
        .filter(starts)
        .max_by_key(time)
        .unwrap_or_else(|| panic!("no {function}: {svg}"));
    let rectangle = title.next_sibling_element().unwrap();
    (
        title.text().unwrap().to_owned(),
        rectangle.attribute("fill").unwrap().to_owned(),
    )
}

/// Needs root.
#[test]
fn a_flame_graph_shows_the_slower_function_in_red_and_the_page_shows_the_graph() {
    let home = Home::new();
    let _wbd = home.start();
    let [a, b] = recorded(&home);
    let file = home.text("lookups.svg");
    home.wbctl(&["explain", &a, &b, "--flamegraph", &file]).expect(0);
    let svg = std::fs::read_to_string(&file).unwrap();
    let (title, colour) = frame(&svg, "scanning [program]");
    let (_, gained) = title.rsplit_once("; +").unwrap_or_else(|| panic!("{title}"));
    let gained: f64 = gained.trim_end_matches("%)").parse().unwrap();
    assert!(
        gained > 50.0 && colour.starts_with("rgb(255,"),
        "{title} {colour}"
    );

    for cell in [&a, &b] {
        let (experiment, _) = cell.split_once(':').unwrap();
        let page = home
            .wbctl(&["export", experiment, "--format", "html"])
            .expect(0)
            .stdout;
        let page = parse(&page);
        let object = page.descendants().find(|node| node.has_tag_name("object"));
        let data = object.and_then(|object| object.attribute("data")).unwrap();
        let (kind, data) = data.split_once(',').unwrap();
        assert_eq!(kind, "data:image/svg+xml;base64");
        assert_eq!(BASE64_STANDARD.decode(data).unwrap(), svg.as_bytes());
    }
}

/// Needs root.
#[test]
fn a_flame_graph_that_cannot_be_is_said_and_the_explanation_still_told() {
    let home = Home::new();
    let _wbd = home.start();
    let made = home.measure(&["-n", "3", "--", &home.program("spin"), "50"]);
    let cell = format!("{}:0", made.experiment);
    let file = home.text("none.svg");
    let answer = home
        .wbctl(&["explain", &cell, &cell, "--flamegraph", &file])
        .expect(1);
    assert!(
        answer.stdout.contains("no difference to explain") && answer.stderr.contains("none.svg"),
        "{answer:?}"
    );
    assert!(!home.path("none.svg").exists());
}
