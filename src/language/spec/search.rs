//! Searches specs by words, product, build of Windows, key or value.

use std::borrow::Cow;

use crate::registry::{KeyPath, RootKey, View};

use super::{Spec, check::reach, model::KeyPattern};

/// The criteria of a search for specs. A spec must meet each criterion that is given. Letter case is ignored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Search {
    /// Words that must all be in the spec: in the id, the title, another name (KB, CVE), a product, the address of the
    /// article or of a source, a key, or a value name.
    pub words: Vec<String>,
    /// Text that must be in the name of a product, or in the title; `None` if the product does not matter.
    pub product: Option<String>,
    /// A build of Windows to which the spec may apply, because its `applicable` does not rule out all versions of the
    /// build; `None` if the build does not matter.
    pub build: Option<Build>,
    /// Text that must be in the `key` of at least one rule of the spec, in any letter case; `None` if the keys do not
    /// matter. If the text begins with a root key, it can begin with any name of this key, such as `HKEY_CLASSES_ROOT`
    /// or `HKLM\SOFTWARE\Classes` for HKCR.
    pub key: Option<String>,
    /// Text that must be in at least one value name in the rules of the spec, in any letter case; `None` if the value
    /// names do not matter.
    pub value: Option<String>,
}

/// A build of Windows, such as `17763` or `10.0.17763`, including all of its update revisions. It can also be a version
/// with all of its builds, such as `6.1`, or a single revision, such as `10.0.17763.1697`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Build {
    /// The lowest Windows version that belongs to the build.
    first: [u32; 4],
    /// The highest Windows version that belongs to the build.
    last: [u32; 4],
}

/// The error if a text is not a build of Windows in a form that [`Build`] accepts; the field is the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a build of Windows in a known form: write 10.0.17763, 6.1.7601 or, from Windows 10 on, 17763")]
pub struct BuildError(String);

impl std::str::FromStr for Build {
    type Err = BuildError;

    fn from_str(text: &str) -> Result<Self, BuildError> {
        /// The first build of Windows 10. This build and all later builds have the version 10.0.
        const TEN: u32 = 10240;
        let error = || BuildError(text.to_owned());
        let numbers = text.split('.').map(str::parse).collect::<Result<Vec<u32>, _>>().map_err(|_| error())?;
        let known = match numbers.as_slice() {
            [build] if *build >= TEN => vec![10, 0, *build],
            [_, _] | [_, _, _] | [_, _, _, _] => numbers,
            _ => return Err(error()),
        };
        let padded = |with: u32| std::array::from_fn(|at| known.get(at).copied().unwrap_or(with));
        Ok(Self { first: padded(0), last: padded(u32::MAX) })
    }
}

impl Search {
    /// Returns whether the spec meets all search criteria. The document of the spec must contain `registry`; see
    /// [`load_rules`](super::load_rules).
    pub fn finds(&self, spec: &Spec) -> bool {
        let document = &spec.document;
        let products = || document.applies_to.iter().chain([&spec.title]);
        let values = || document.registry.iter().flat_map(|rule| rule.values.keys());
        let addresses =
            || document.article.iter().map(|a| &a.url).chain(document.sources.iter().filter_map(|s| s.url.as_ref()));
        let anything = || [&spec.id].into_iter().chain(&document.also).chain(products()).chain(addresses());
        let given = |word: &Option<String>, has: &dyn Fn(&String) -> bool| word.as_ref().is_none_or(has);
        self.words.iter().all(|word| anything().chain(values()).any(|text| is_in(word, text)) || is_in_key(word, spec))
            && given(&self.product, &|word| products().any(|text| is_in(word, text)))
            && given(&self.key, &|word| is_in_key(word, spec))
            && given(&self.value, &|word| values().any(|text| is_in(word, text)))
            && self.build.is_none_or(|build| match &spec.applicable {
                Some(applicable) => reach::may_hold(applicable, build.first, build.last),
                None => true,
            })
    }
}

/// Returns whether `text` contains `word`, in any letter case.
fn is_in(word: &str, text: &str) -> bool {
    text.to_lowercase().contains(&word.to_lowercase())
}

/// Returns whether the text `word` occurs in a key of the spec, or names such a key, or the beginning of its path, by
/// another name than the spec.
fn is_in_key(word: &str, spec: &Spec) -> bool {
    let short = with_short_root(word);
    if spec.document.registry.iter().any(|rule| is_in(&short, &with_short_root(&rule.key))) {
        return true;
    }
    let Ok(path) = word.parse::<KeyPath>() else { return false };
    let wanted = KeyPattern::of(&path).one_name();
    let text = |key: &KeyPattern| KeyPattern { view: View::Bits64, ..key.clone() }.to_string();
    spec.rules.iter().map(|rule| rule.key.one_name()).any(|key| {
        let is_of_view = wanted.view == View::Bits64 || key.view == wanted.view;
        is_of_view && is_in(&text(&wanted), &text(&key))
    })
}

/// Returns the key with the short name of its root key, such as `HKLM`. Returns any other text as it is.
fn with_short_root(text: &str) -> Cow<'_, str> {
    let (root, below) = text.split_at(text.find('\\').unwrap_or(text.len()));
    RootKey::parse(root).map_or(Cow::Borrowed(text), |root| Cow::Owned(format!("{}{below}", root.short())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{Settings, load};

    const SPEC: &str = r#"kbfix: 1
id: KB1
title: Word opens links
also: [CVE-2020-1]
applies_to: [Contoso Word 2016]
applicable: { any: [{ os: { at_least: "6.1", below: "6.2" } }, { os: { at_least: "10.0.17763.100", below: "10.0.20348" } }] }
registry:
  - key: HKLM\SOFTWARE\Contoso\Links
    values: { Allow DDE: { type: REG_DWORD, data: 1 } }
  - { key: HKEY_CLASSES_ROOT\ms-msdt, ensure: absent }
  - { key: HKLM\SOFTWARE\Narrow, view: 32 }
"#;

    #[test]
    fn specs_are_found_by_what_they_are_about() {
        let spec = load("x", SPEC.as_bytes(), &Settings::new()).spec.unwrap();
        let words =
            |words: &[&str]| Search { words: words.iter().map(ToString::to_string).collect(), ..Search::default() };
        for (search, found) in [
            (words(&[]), true),
            (words(&["cve-2020-1", "KB1"]), true),
            (words(&["dde", r"contoso\links"]), true),
            (words(&["KB1", "KB2"]), false),
            (Search { product: Some("word 2016".to_owned()), ..Search::default() }, true),
            (Search { product: Some("DDE".to_owned()), ..Search::default() }, false),
            (Search { key: Some("links".to_owned()), value: Some("allow".to_owned()), ..Search::default() }, true),
            (Search { key: Some("dde".to_owned()), ..Search::default() }, false),
        ] {
            assert_eq!(search.finds(&spec), found, "{search:?}");
        }
        for (key, found) in [
            (r"HKEY_LOCAL_MACHINE\SOFTWARE", true),
            (r"hkey_local_machine\software\contoso\links", true),
            (r"HKEY_LOCAL_MACHINE\SOFTWARE\Contoso\L", true),
            (r"HKLM\SOFTWARE\", true),
            ("HKEY_LOCAL_MACHINE", true),
            (r"HKEY_CURRENT_USER\SOFTWARE", false),
            (r"HKLM\SOFTWARE\Wow6432Node\Contoso", false),
            (r"HKLM\SOFTWARE\Classes\ms-msdt", true),
            (r"HKEY_CLASSES_ROOT\ms-", true),
            (r"HKCR\MS-MSDT", true),
            (r"HKLM\SOFTWARE\Wow6432Node\Narrow", true),
            (r"HKLM\SOFTWARE\Narrow", true),
            (r"SOFTWARE\Narrow", true),
        ] {
            let search = Search { key: Some(key.to_owned()), ..Search::default() };
            assert_eq!(search.finds(&spec), found, "{key}");
            assert_eq!(words(&[key]).finds(&spec), found, "{key}");
        }
        for (build, found) in [
            ("6.1", true),
            ("6.1.7601", true),
            ("6.2.9200", false),
            ("17763", true),
            ("10.0.17763.99", false),
            ("10.0.17763.100", true),
            ("20348", false),
            ("10.0", true),
        ] {
            let search = Search { build: Some(build.parse().unwrap()), ..Search::default() };
            assert_eq!(search.finds(&spec), found, "{build}");
        }
        for wrong in ["7601", "1.2.3.4.5", "x", "10.0.x", ""] {
            assert!(wrong.parse::<Build>().is_err(), "{wrong}");
        }
    }
}
