//! Versions that are contained in a string, such as `16.0.10730.20102` in Office's value `VersionToReport`.

/// A version of up to four numbers; missing numbers are 0.
pub type TextVersion = [u32; 4];

/// Parses a version: one to four numbers of at most 32 bits, with dots between them. Returns `None` for other text.
pub fn parse(text: &str) -> Option<TextVersion> {
    let mut version = [0; 4];
    let mut parts = text.split('.');
    for number in &mut version {
        let Some(part) = parts.next() else { break };
        if part.is_empty() || !part.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(version)
}

/// Returns all versions in `text`: two to four numbers with dots between them. Dots before and after a version are
/// ignored, because a dot can end a sentence or begin a file extension.
pub fn within(text: &str) -> Vec<TextVersion> {
    let tokens = text.split(|c: char| !c.is_ascii_digit() && c != '.');
    tokens.map(|token| token.trim_matches('.')).filter(|token| token.contains('.')).filter_map(parse).collect()
}

/// Formats a version with at least two numbers. Further numbers are left out if they and all numbers after them are 0.
pub fn dotted(version: TextVersion) -> String {
    let known = version.iter().rposition(|n| *n != 0).map_or(2, |at| (at + 1).max(2));
    version[..known].iter().map(ToString::to_string).collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_found_between_other_text() {
        assert_eq!(within("16.0.10730.20102"), [[16, 0, 10730, 20102]]);
        assert_eq!(within("Version v6.1 (Build 7601)."), [[6, 1, 0, 0]]);
        assert_eq!(within("Build 7601"), Vec::<TextVersion>::new());
        assert_eq!(within("1.2.3.4.5 99999999999.1 1..2"), Vec::<TextVersion>::new());
        assert_eq!(within("1.0 to 2.0"), [[1, 0, 0, 0], [2, 0, 0, 0]]);
        assert_eq!(parse("16"), Some([16, 0, 0, 0]));
        assert_eq!(parse("16."), None);
        assert_eq!(dotted([16, 0, 0, 0]), "16.0");
    }
}
