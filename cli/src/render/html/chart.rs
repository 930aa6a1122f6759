//! Charts as SVG, of the width of a telephone's screen: a page puts several side by side.
//!
//! Colours are names for roles: the style sheet gives each its look, in light and in dark.

use std::io;

use plotters::coord::Shift;
use plotters::prelude::{
    DrawingArea, DrawingAreaErrorKind, IntoDrawingArea, PathElement, RGBColor, Rectangle, SVGBackend, Text,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, IntoFont, IntoTextStyle, TextStyle};

use super::element::{escape, printable};

/// Width of every chart.
const WIDTH: u32 = 420;
/// Height of a row of bars.
const ROW: u32 = 22;
/// Room for names, left of the bars.
const NAMES: i32 = 158;
/// Room for figures, right of the bars.
const FIGURES: i32 = 104;
/// Height of a histogram's bars.
const BINS: i32 = 96;
/// Size of text, which the backend takes 1.24 times as large as SVG does.
const TEXT: u32 = 15;

/// Of text. The numbers are those that the style sheet looks for.
const INK: RGBColor = RGBColor(1, 1, 1);
/// Of bars.
const BAR: RGBColor = RGBColor(2, 2, 2);
/// Of intervals.
const SPAN: RGBColor = RGBColor(3, 3, 3);
/// Of the study's figures.
const STUDY: RGBColor = RGBColor(4, 4, 4);
/// Of axes.
const FAINT: RGBColor = RGBColor(5, 5, 5);

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn = Result<(), DrawingAreaErrorKind<io::Error>>;

/// A row of a bar chart. Lengths are shares of the axis, from 0 to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Bar {
    /// Its name.
    pub(super) name: String,
    /// Where it begins and ends.
    pub(super) span: [f64; 2],
    /// Its interval.
    pub(super) interval: Option<[f64; 2]>,
    /// Where the study has it.
    pub(super) study: Option<f64>,
    /// What stands to its right.
    pub(super) figure: String,
}

/// Rows of bars under each other, with the ends of the axis below them.
pub(super) fn bars(label: &str, rows: &[Bar], axis: [&str; 2]) -> String {
    let height = (rows.len() as u32 + 1) * ROW;
    svg(label, height, |area| {
        for (index, row) in (0_i32..).zip(rows) {
            bar(area, row, index * ROW as i32)?;
        }
        let bottom = rows.len() as i32 * ROW as i32;
        line(area, [(along(0.0), 0), (along(0.0), bottom)], FAINT, 1)?;
        ends(area, axis, [along(0.0), along(1.0)], bottom + 2)
    })
}

fn bar(area: &Area<'_>, row: &Bar, top: i32) -> Drawn {
    let middle = top + ROW as i32 / 2;
    write(area, &row.name, (NAMES - 6, middle), HPos::Right, INK)?;
    let [from, to] = row.span.map(along);
    if row.span[1] > row.span[0] {
        // At least a pixel, for what is not nothing.
        let corners = [(from, top + 4), (to.max(from + 1), top + ROW as i32 - 4)];
        area.draw(&Rectangle::new(corners, BAR.filled()))?;
    }
    if let Some([low, high]) = row.interval {
        line(area, [(along(low), middle), (along(high), middle)], SPAN, 2)?;
    }
    if let Some(study) = row.study {
        line(
            area,
            [(along(study), top + 1), (along(study), top + ROW as i32 - 1)],
            STUDY,
            2,
        )?;
    }
    write(area, &row.figure, (along(1.0) + 6, middle), HPos::Left, INK)
}

/// A histogram: bars as high as shares from 0 to 1, of equal width.
pub(super) fn histogram(label: &str, heights: &[f64], axis: [&str; 2]) -> String {
    svg(label, BINS as u32 + ROW, |area| {
        let edge = |index: usize| 4 + (index * (WIDTH as usize - 8) / heights.len().max(1)) as i32;
        for (index, height) in heights.iter().enumerate().filter(|(_, height)| **height > 0.0) {
            let top = BINS - ((height * f64::from(BINS - 2)) as i32).max(1);
            let corners = [(edge(index), top), (edge(index + 1) - 1, BINS)];
            area.draw(&Rectangle::new(corners, BAR.filled()))?;
        }
        line(area, [(4, BINS), (WIDTH as i32 - 4, BINS)], FAINT, 1)?;
        ends(area, axis, [4, WIDTH as i32 - 4], BINS + 2)
    })
}

/// What stands at the ends of an axis.
fn ends(area: &Area<'_>, texts: [&str; 2], at: [i32; 2], top: i32) -> Drawn {
    let middle = top + ROW as i32 / 2;
    write(area, texts[0], (at[0], middle), HPos::Left, FAINT)?;
    write(area, texts[1], (at[1], middle), HPos::Right, FAINT)
}

/// Where a share of the axis lies.
fn along(share: f64) -> i32 {
    let width = f64::from(WIDTH as i32 - NAMES - FIGURES);
    NAMES + (share.clamp(0.0, 1.0) * width).round() as i32
}

fn line(area: &Area<'_>, points: [(i32, i32); 2], colour: RGBColor, width: u32) -> Drawn {
    area.draw(&PathElement::new(points.to_vec(), colour.stroke_width(width)))
}

fn write(area: &Area<'_>, text: &str, at: (i32, i32), side: HPos, colour: RGBColor) -> Drawn {
    let style: TextStyle<'_> = ("sans-serif", TEXT).into_font().into_text_style(area);
    let style = style.color(&colour).pos(Pos::new(side, VPos::Center));
    let text: String = text.chars().map(printable).collect(); // the backend escapes the rest
    area.draw(&Text::new(text, at, style))
}

/// The drawing as an element of a page: as wide as its place, named for those who do not see it.
fn svg(label: &str, height: u32, draw: impl FnOnce(&Area<'_>) -> Drawn) -> String {
    let mut text = String::new();
    let area = SVGBackend::with_string(&mut text, (WIDTH, height)).into_drawing_area();
    let drawn = draw(&area).and_then(|()| area.present());
    drop(area);
    match (drawn, text.split_once('>')) {
        (Ok(()), Some((_, rest))) => format!(
            "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{}\">{rest}",
            escape(label)
        ),
        (Err(error), _) => format!(
            "<p>This chart cannot be drawn: {}</p>",
            escape(&error.to_string())
        ),
        (Ok(()), None) => "<p>This chart came out empty.</p>".to_owned(),
    }
}
