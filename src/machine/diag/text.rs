//! Text in messages: shortens long text, and finds the known name that a misspelled name probably means.

/// Returns `text` with spaces instead of line breaks (CR, LF) and tabs. A text of more than 60 characters is cut to 60,
/// the last of which is `…`. All other characters stay, because the code that shows a message escapes invisible ones
/// (with [`crate::registry::notation::one_line`]).
pub fn shorten(text: &str) -> String {
    const MOST: usize = 60;
    let text = text.replace(['\n', '\r', '\t'], " ");
    if text.chars().count() <= MOST {
        return text;
    }
    text.chars().take(MOST - 1).chain(['…']).collect()
}

/// Joins the first five texts with commas, and adds the number of the remaining texts, if there are any. This keeps a
/// message short if there are many texts.
pub fn first_few(texts: impl IntoIterator<Item = impl Into<String>>) -> String {
    const MOST: usize = 5;
    let mut all = texts.into_iter().map(Into::into);
    let mut text = all.by_ref().take(MOST).collect::<Vec<String>>().join(", ");
    match all.count() {
        0 => {}
        more => text.push_str(&format!(" and {more} more")),
    }
    text
}

/// Returns the entry of `known` that is most similar to `name`; `None` if no entry is similar enough, or if `name` has
/// more than 64 bytes. Only the first 1,000 entries are compared, because a crafted file can contain many names.
pub fn suggest<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    if name.len() > 64 {
        return None;
    }
    let lower = name.to_lowercase();
    let distance = |known: &str| strsim::damerau_levenshtein(&lower, &known.to_lowercase());
    // A third of the characters may differ, and one in the shortest names.
    let most = |known: &str| (name.chars().count().max(known.chars().count()) / 3).max(1);
    known
        .into_iter()
        .take(1000)
        .map(|k| (distance(k), k))
        .filter(|(distance, k)| *distance <= most(k) && *distance < k.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, k)| k)
}

#[cfg(test)]
mod tests {
    use super::first_few;

    #[test]
    fn a_long_list_is_cut_and_says_by_how_many() {
        assert_eq!(first_few(["a", "b"]), "a, b");
        assert_eq!(first_few(["a", "b", "c", "d", "e"]), "a, b, c, d, e");
        assert_eq!(first_few(["a", "b", "c", "d", "e", "f", "g"]), "a, b, c, d, e and 2 more");
        assert_eq!(first_few(Vec::<String>::new()), "");
    }
}
