//! `{name}` in the text of a key or of a file's path.

/// Whether `name` can be the name of a parameter or location: `[a-z_][a-z0-9_]*`.
pub(in crate::spec) fn is_variable_name(name: &str) -> bool {
    let first = |b: u8| b.is_ascii_lowercase() || b == b'_';
    name.bytes().enumerate().all(|(at, b)| first(b) || at > 0 && b.is_ascii_digit()) && !name.is_empty()
}

/// The name in a `{name}` that `text` begins with: a small letter or `_`, then such and digits. Other text in braces, such as a
/// GUID, is no variable.
pub(in crate::spec) fn variable_at(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('{')?;
    let close = inner.find(['{', '}'])?;
    Some(&inner[..close]).filter(|name| inner[close..].starts_with('}') && is_variable_name(name))
}

/// The first `{name}` in `text`: what is before it, the name, what is after it.
pub(in crate::spec) fn next_variable(text: &str) -> Option<(&str, &str, &str)> {
    text.match_indices('{').find_map(|(open, _)| {
        let name = variable_at(&text[open..])?;
        Some((&text[..open], name, &text[open + name.len() + 2..]))
    })
}
