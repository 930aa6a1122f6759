//! The running kernel's release, where the kernel tells no other way what it can do.

/// Its first two numbers, such as 6 and 12.
#[must_use]
pub fn running() -> Option<(u32, u32)> {
    let name = nix::sys::utsname::uname().ok()?;
    parse(name.release().to_str()?)
}

/// The first two numbers of a release such as `6.1.0-25-amd64`.
fn parse(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split(|character: char| !character.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_compare_as_numbers() {
        assert_eq!(parse("6.1.0-25-amd64"), Some((6, 1)));
        assert!(parse("6.12.117+deb13-cloud-amd64") > parse("6.2.0"));
        for text in ["6", "", "next", "99999999999.1"] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert!(running() >= Some((5, 0)));
    }
}
