//! Finds `{name}` in a key or in the path of a file.

/// Returns whether `name` can be the name of a parameter or location: `[a-z_][a-z0-9_]*`.
pub(in crate::spec) fn is_variable_name(name: &str) -> bool {
    let first = |b: u8| b.is_ascii_lowercase() || b == b'_';
    name.bytes().enumerate().all(|(at, b)| first(b) || at > 0 && b.is_ascii_digit()) && !name.is_empty()
}

/// Returns the name if `text` begins with a `{name}`; otherwise `None`. Other text in braces, such as a GUID, is not a
/// name.
pub(in crate::spec) fn variable_at(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('{')?;
    let close = inner.find(['{', '}'])?;
    Some(&inner[..close]).filter(|name| inner[close..].starts_with('}') && is_variable_name(name))
}

/// Finds the first `{name}` in `text`. Returns the text before it, the name, and the text after it; `None` if there is
/// none.
pub(in crate::spec) fn next_variable(text: &str) -> Option<(&str, &str, &str)> {
    text.match_indices('{').find_map(|(open, _)| {
        let name = variable_at(&text[open..])?;
        Some((&text[..open], name, &text[open + name.len() + 2..]))
    })
}
