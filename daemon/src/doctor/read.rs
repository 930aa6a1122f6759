//! The small files in which the kernel shows its settings.

use std::fs;
use std::path::Path;

/// The content of such a file without the white space around it; none where it cannot be read.
pub(super) fn text(path: impl AsRef<Path>) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

/// The number in such a file.
pub(super) fn number(path: impl AsRef<Path>) -> Option<i64> {
    text(path)?.parse().ok()
}

/// The choice in such a file that is in brackets: `b` of `a [b] c`.
pub(super) fn chosen(text: &str) -> Option<&str> {
    let (_, after) = text.split_once('[')?;
    after.split_once(']').map(|(chosen, _)| chosen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_choice_is_the_one_in_brackets() {
        assert_eq!(chosen("always [madvise] never"), Some("madvise"));
        assert_eq!(chosen("always madvise never"), None);
        assert_eq!(chosen("always [madvise"), None);
    }

    #[test]
    fn what_is_not_there_reads_as_none() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("value");
        assert_eq!(text(&file), None);
        fs::write(&file, "17\n").unwrap();
        assert_eq!(number(&file), Some(17));
        fs::write(&file, "many\n").unwrap();
        assert_eq!((text(&file).as_deref(), number(&file)), (Some("many"), None));
    }
}
