//! Elements of the page. Every function takes plain text and escapes it, unless it says that it takes markup.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

/// Text as it may stand in an element or an attribute.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars().map(printable) {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// The character, or a stand-in for one that neither XML nor a reader has any use for.
pub(super) fn printable(c: char) -> char {
    if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') {
        '\u{fffd}'
    } else {
        c
    }
}

/// A section of the page; `body` is markup.
pub(super) fn section(id: &str, title: &str, body: &str) -> String {
    format!(
        "<section id=\"{id}\">\n<h2>{}</h2>\n{body}</section>\n",
        escape(title)
    )
}

/// A list.
pub(super) fn list(lines: &[String]) -> String {
    let items: String = lines
        .iter()
        .map(|line| format!("<li>{}</li>\n", escape(line)))
        .collect();
    format!("<ul>\n{items}</ul>\n")
}

/// What a cell of a table says, and how it is to look.
pub(super) struct Field {
    text: String,
    class: &'static str,
}

/// A name or prose.
pub(super) fn name(text: impl Into<String>) -> Field {
    Field {
        text: text.into(),
        class: "name",
    }
}

/// A figure.
pub(super) fn figure(text: impl Into<String>) -> Field {
    Field {
        text: text.into(),
        class: "",
    }
}

impl Field {
    /// The same with a look of its own.
    pub(super) fn class(self, class: &'static str) -> Self {
        Self { class, ..self }
    }
}

/// A table inside a box that it may scroll in, so that the page need not. A heading stands as what is under it.
pub(super) fn table(headings: &[&str], rows: &[Vec<Field>]) -> String {
    let of_figures = |column: usize| {
        rows.first()
            .and_then(|row| row.get(column))
            .is_some_and(|field| field.class.is_empty())
    };
    let head: String = headings
        .iter()
        .enumerate()
        .map(|(column, heading)| match of_figures(column) {
            true => format!("<th>{}</th>", escape(heading)),
            false => format!("<th class=\"name\">{}</th>", escape(heading)),
        })
        .collect();
    let body: String = rows.iter().map(|row| self::row(row)).collect();
    format!(
        "<div class=\"scroll\"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody>\n</table></div>\n"
    )
}

fn row(fields: &[Field]) -> String {
    let fields: String = fields
        .iter()
        .map(|field| match field.class {
            "" => format!("<td>{}</td>", escape(&field.text)),
            class => format!("<td class=\"{class}\">{}</td>", escape(&field.text)),
        })
        .collect();
    format!("<tr>{fields}</tr>\n")
}

/// A chart with its caption; `svg` is markup.
pub(super) fn panel(caption: &str, svg: &str) -> String {
    format!(
        "<figure><figcaption>{}</figcaption>{svg}</figure>\n",
        escape(caption)
    )
}

/// A picture with its caption that takes the whole width; `picture` is markup.
pub(super) fn wide(caption: &str, picture: &str) -> String {
    format!(
        "<figure class=\"wide\"><figcaption>{}</figcaption>{picture}</figure>\n",
        escape(caption)
    )
}

/// An SVG document of its own, which keeps its names and its style to itself; as high as it says it is. `svg` is markup.
pub(super) fn embedded(label: &str, svg: &str) -> String {
    let height = svg.split_once("height=\"").map_or("", |(_, rest)| rest);
    let height: String = height.chars().take_while(char::is_ascii_digit).collect();
    format!(
        "<object type=\"image/svg+xml\" height=\"{height}\" aria-label=\"{}\" data=\"data:image/svg+xml;base64,{}\"></object>",
        escape(label),
        BASE64_STANDARD.encode(svg)
    )
}

/// Charts beside each other, as many as there is room for; `panels` is markup.
pub(super) fn panels(panels: &str) -> String {
    format!("<div class=\"panels\">\n{panels}</div>\n")
}

/// What is folded away until it is asked for; `body` is markup.
pub(super) fn fold(summary: &str, open: bool, body: &str) -> String {
    let open = if open { " open=\"open\"" } else { "" };
    format!(
        "<details{open}><summary>{}</summary>\n{body}</details>\n",
        escape(summary)
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_stays_text(text in any::<String>()) {
            let markup = format!("<p title=\"{0}\">{0}</p>", escape(&text));
            let document = roxmltree::Document::parse(&markup).unwrap();
            let shown: String = text.chars().map(printable).collect();
            let root = document.root_element();
            prop_assert_eq!(root.text().unwrap_or(""), shown.as_str());
            prop_assert_eq!(root.attribute("title"), Some(shown.as_str()));
        }
    }
}
