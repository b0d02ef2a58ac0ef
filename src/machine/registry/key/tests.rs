//! Tests of key paths.

use super::*;

fn key(text: &str) -> KeyPath {
    text.parse().unwrap()
}

#[test]
fn both_spellings_of_a_root_key_are_one_key() {
    assert_eq!(key(r"HKLM\Software"), key(r"hkey_local_machine\SOFTWARE"));
    assert_eq!(key(r"HKLM\Software").to_long(), r"HKEY_LOCAL_MACHINE\Software");
    assert_eq!(key("HKU"), KeyPath::root_key(RootKey::Hku));
}

#[test]
fn what_is_no_key_is_refused_by_name() {
    let error = |text: &str| text.parse::<KeyPath>().unwrap_err().to_string();
    assert!(error(r"HKLM:\SOFTWARE").contains("PowerShell"));
    assert!(error(r"SOFTWARE\X").contains("not a root key"));
    assert!(error(r"HKLM\a\\b").contains("empty"));
    assert!(error(r"HKLM\a\").contains("empty"));
}

#[test]
fn a_parent_sorts_before_its_subkeys_and_they_before_its_neighbours() {
    let mut keys = [key(r"HKLM\A B"), key(r"HKLM\A\Z"), key(r"HKLM\A"), key("HKLM"), key(r"HKLM\a\b")];
    keys.sort();
    let sorted: Vec<String> = keys.iter().map(ToString::to_string).collect();
    assert_eq!(sorted, ["HKLM", r"HKLM\A", r"HKLM\a\b", r"HKLM\A\Z", r"HKLM\A B"]);
    let long = "name".repeat(20);
    let of = |end: &str| key(&format!(r"HKLM\{long}\{long}{end}"));
    assert!(of("") < of(r"\a") && of(r"\A") < of(r"\b\a") && of(r"\b") < of(" a") && of(r"\é") == of(r"\É"));
}

#[test]
fn paths_sort_as_their_names_do() {
    // Beyond the basic plane, UTF-16 sorts before U+E000; a capital may be longer in UTF-8 than its small letter.
    let names = [
        "",
        "a",
        "A b",
        "é",
        "É",
        "\u{250}x",
        "\u{2C6F}",
        "\u{D7FF}",
        "\u{E000}",
        "\u{FFFD}",
        "\u{10000}",
        "\u{10FFFF}",
    ];
    let under = |above: &str, name: &str| if name.is_empty() { above.to_owned() } else { format!(r"{above}\{name}") };
    let paths: Vec<String> = names
        .iter()
        .flat_map(|above| names.iter().map(move |name| (above, name)))
        .map(|(above, name)| under(&under("HKLM", above), name))
        .collect();
    let by_name = |a: &str, b: &str| {
        let (mut a, mut b) = (a.split('\\'), b.split('\\'));
        loop {
            match (a.next(), b.next()) {
                (None, None) => return Ordering::Equal,
                (None, _) => return Ordering::Less,
                (_, None) => return Ordering::Greater,
                (Some(a), Some(b)) if name::compare(a, b).is_ne() => return name::compare(a, b),
                _ => {}
            }
        }
    };
    for (a, b) in paths.iter().flat_map(|a| paths.iter().map(move |b| (a, b))) {
        assert_eq!(key(a).cmp(&key(b)), by_name(a, b), "{a} {b}");
    }
}

#[test]
fn relatives() {
    assert_eq!(key(r"HKLM\A\B\C").relative_to(&key(r"hklm\a")), Some(r"B\C"));
    assert_eq!(key(r"HKLM\A").relative_to(&key(r"HKLM\A")), Some(""));
    assert_eq!(key(r"HKLM\AB").relative_to(&key(r"HKLM\A")), None);
    assert_eq!(key(r"HKLM\A").relative_to(&key("HKLM")), Some("A"));
    assert_eq!(key(r"HKLM\A").relative_to(&key("HKU")), None);
    assert_eq!(key("HKLM\\\u{250}\\x").relative_to(&key("HKLM\\\u{2C6F}")), Some("x"));
    let moved = |path: &str, from: &str, to: &str| key(path).moved(&key(from), &key(to));
    assert_eq!(moved(r"HKLM\A\B\C", r"hklm\a", r"HKU\X\Y"), Some(key(r"HKU\X\Y\B\C")));
    assert_eq!(moved(r"HKLM\A", r"HKLM\A", r"HKU\X"), Some(key(r"HKU\X")));
    assert_eq!(moved(r"HKLM\A\B", "HKLM", "HKU"), Some(key(r"HKU\A\B")));
    assert_eq!(moved(r"HKLM\A\B", r"HKLM\A", "HKU"), Some(key(r"HKU\B")));
    assert_eq!(moved(r"HKLM\AB", r"HKLM\A", "HKU"), None);
    assert_eq!(moved(r"HKLM\A\b", r"HKLM\A", r"HKU\x").map(|key| key.to_string()).as_deref(), Some(r"HKU\x\b"));
    assert_eq!(key(r"HKLM\A\B").parent(), Some(key(r"HKLM\A")));
    assert_eq!(key(r"HKLM\A").parent(), Some(key("HKLM")));
    let names = ["b", "C"].map(|name| KeyName::new(name).unwrap());
    assert_eq!(key("HKLM").descendant(&names).to_string(), r"HKLM\b\C");
    assert_eq!(key(r"HKLM\a").descendant(&names), key(r"HKLM\A\B\c"));
    assert_eq!(key("HKLM").parent(), None);
}

#[test]
fn a_tree_ends_before_the_next_key() {
    let below = [r"HKLM\A\B", r"HKLM\A\B\C", "HKLM\\A\\B\\\u{1}", "HKLM\\A\\b\\\u{10FFFF}"].map(key);
    let after = ["HKLM\\A\\B\u{1}", r"HKLM\A\B C", r"HKLM\A\b1\C", r"HKLM\AB", r"HKU"].map(key);
    let end = key(r"HKLM\a\b").after_tree();
    assert!(below.iter().all(|key| *key < end) && after.iter().all(|key| *key >= end));
}

#[test]
fn a_relative_path_keeps_the_spelling() {
    for (path, above, relative) in [
        (r"HKLM\A\b\Cd", r"HKLM\a", Some(r"b\Cd")),
        (r"HKLM\A\b", r"HKLM\a\B", Some("")),
        (r"HKLM\A\b", "HKLM", Some(r"A\b")),
        // A capital can be longer in UTF-8 than its small letter.
        ("HKLM\\\u{250}x\\Y\\z", "HKLM\\\u{2C6F}X\\y", Some("z")),
        ("HKLM\\x\\\u{250}\\z", "HKLM\\X", Some("\u{250}\\z")),
        (r"HKLM\A\b", r"HKLM\A\bc", None),
        (r"HKLM\A\bc", r"HKLM\A\b", None),
    ] {
        assert_eq!(key(path).relative_to(&key(above)), relative, "{path} {above}");
    }
}
