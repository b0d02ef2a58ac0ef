//! Text in messages: shortens it, and suggests the known name that was probably meant.

/// Returns `text` on one line, cut to 60 characters.
pub fn shorten(text: &str) -> String {
    const MOST: usize = 60;
    let text = text.replace(['\n', '\r', '\t'], " ");
    if text.chars().count() <= MOST {
        return text;
    }
    text.chars().take(MOST - 1).chain(['…']).collect()
}

/// Returns the entry of `known` that is closest to `name`, if one is close enough to be probably meant.
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
        .map(|k| (distance(k), k))
        .filter(|(distance, k)| *distance <= most(k) && *distance < k.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, k)| k)
}
