//! Tables: names to the left, figures to the right, as wide as they need to be. Neither colour nor the width of
//! the terminal changes them, so a pipe and a screen get the same text.

use comfy_table::{CellAlignment, LineStyle, Table, TableStyle};

/// Spaces before a column, beside the one that comfy-table leaves for its border.
const GAP: u16 = 1;

/// Where a column's text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// Names and prose.
    Left,
    /// Figures.
    Right,
}

/// A table with a line under its headings, each line ended by a newline.
pub(crate) fn table(columns: &[(String, Side)], rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table
        .load_style(TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─')))
        .set_header(
            columns
                .iter()
                .map(|(heading, _)| heading.clone())
                .collect::<Vec<_>>(),
        )
        .add_rows(
            rows.into_iter()
                .map(|row| row.iter().map(|cell| plain(cell)).collect::<Vec<_>>()),
        );
    for (index, (column, (_, side))) in table.column_iter_mut().zip(columns).enumerate() {
        column.set_padding((if index == 0 { 0 } else { GAP }, 0));
        column.set_cell_alignment(match side {
            Side::Left => CellAlignment::Left,
            Side::Right => CellAlignment::Right,
        });
    }
    // Prose in the last column is not padded: its longest line must not decide how the others wrap on a screen.
    let prose = columns.last().is_some_and(|(_, side)| *side == Side::Left);
    let drawn = if prose {
        table.trim_fmt()
    } else {
        table.to_string()
    };
    drawn
        .lines()
        .map(|line| line.trim_end().to_owned() + "\n")
        .collect()
}

/// Text from elsewhere on one line, with nothing in it that a terminal would obey.
pub(crate) fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

/// Headings of names.
pub(crate) fn left(heading: &str) -> (String, Side) {
    (heading.to_owned(), Side::Left)
}

/// Headings of figures.
pub(crate) fn right(heading: &str) -> (String, Side) {
    (heading.to_owned(), Side::Right)
}

#[cfg(test)]
pub(crate) mod tests {
    use unicode_width::UnicodeWidthStr;

    use super::*;

    /// Whether all lines from the rule on are of one width, as they are where the last column is of figures.
    pub(crate) fn assert_aligned(table: &str) {
        let rows = table.lines().skip_while(|line| !line.starts_with('─'));
        let widths: Vec<usize> = rows.map(UnicodeWidthStr::width).collect();
        assert!(widths.len() > 1, "a table has a rule and rows\n{table}");
        assert!(
            widths.windows(2).all(|pair| pair[0] == pair[1]),
            "{widths:?}\n{table}"
        );
    }

    #[test]
    fn figures_stand_under_each_other_whatever_the_script_of_the_names() {
        let columns = [left("name"), right("startup\np50")];
        let rows = [["native", "1.00 ms"], ["名前", "612 us"], ["é", "3 s"]];
        let drawn = table(&columns, rows.map(|row| row.map(str::to_owned).to_vec()).to_vec());
        println!("{drawn}");
        assert_aligned(&drawn);
    }

    #[test]
    fn nothing_that_a_terminal_obeys_comes_through() {
        assert_eq!(plain("a\x1b[2J\nb"), "a\u{fffd}[2J\u{fffd}b");
    }
}
