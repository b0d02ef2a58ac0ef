//! Tests the format of diagnostics, and that each code is explained.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use kbfix::{
    diag::{CODES, Diagnostic},
    render::{
        Paint,
        diagnostics::{github, human, json},
    },
    spec::{self, Settings, Source},
};

/// The index of the codes. It ends with a table that `UPDATE_DOCS=1` writes.
const INDEX: &str = "docs/reference/diagnostics.md";

/// The heading of that table.
const ALL_CODES: &str = "## All codes\n\n";

/// The section of a code.
struct Section {
    /// The page, by its path below `docs/reference`.
    page: String,
    text: String,
}

/// Returns the section of each code, from the pages in `docs/reference/diagnostics`.
fn sections() -> BTreeMap<String, Section> {
    let mut out = BTreeMap::new();
    for (page, text) in super::authoring::book::pages("docs/reference/diagnostics") {
        let page = page.strip_prefix("docs/reference/").unwrap();
        for section in text.split("\n## ").skip(1) {
            let (code, text) = section.split_once('\n').unwrap();
            let section = Section { page: page.to_owned(), text: text.trim().to_owned() };
            assert!(out.insert(code.to_owned(), section).is_none(), "{code} has two sections");
        }
    }
    out
}

/// Returns the first sentence of a section, without the announcement of a list.
fn first_sentence(text: &str) -> String {
    let line = text.lines().next().unwrap().trim_end_matches('.');
    let line = [":", ", for one of these reasons", " in one of these ways"]
        .iter()
        .fold(line, |l, end| l.trim_end_matches(end));
    assert!(!line.contains("]("), "in the index, this link would lead elsewhere: {line}");
    format!("{line}.")
}

#[test]
fn codes_are_unique_kebab_case_and_each_has_its_section() {
    let codes: BTreeSet<&str> = CODES.iter().map(|c| c.as_str()).collect();
    assert_eq!(codes.len(), CODES.len());
    for code in &codes {
        assert!(code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'), "{code}");
    }
    let sections = sections();
    assert_eq!(sections.keys().map(String::as_str).collect::<BTreeSet<_>>(), codes);
    for (code, Section { text, .. }) in sections {
        assert!(text.contains("Example: ") || text.contains("```yaml"), "{code}: {text}");
        assert!(text.contains("What to do: "), "{code}: {text}");
    }
}

#[test]
fn the_index_of_the_codes_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(INDEX);
    let found = std::fs::read_to_string(&path).unwrap().replace("\r\n", "\n");
    let (head, _) = found.split_once(ALL_CODES).unwrap();
    let rows = sections().into_iter().map(|(code, Section { page, text })| {
        format!("| [`{code}`]({page}#{code}) | {} |\n", first_sentence(&text).replace('|', "\\|"))
    });
    let table: String = rows.collect();
    let generated = format!("{head}{ALL_CODES}| code | meaning |\n|---|---|\n{table}");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &generated).unwrap();
    } else {
        assert!(found == generated, "{INDEX} lacks a code; run UPDATE_DOCS=1 cargo test --test spec diagnostics");
    }
}

/// Every code for specs is covered by a test: an invalid spec names it, or a test in this folder.
#[test]
fn every_code_of_a_spec_is_met_in_a_test() {
    let mut met = String::from(include_str!("hostile.rs")) + include_str!("diagnostics.rs");
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/specs/invalid");
    for file in std::fs::read_dir(folder).unwrap() {
        met += &std::fs::read_to_string(file.unwrap().path()).unwrap();
    }
    // `schema` and `internal` report faults that should not occur. No spec is known that causes them.
    let other_parts = ["usage", "file-access", "schema", "internal", "yaml-readers-disagree"];
    let first = CODES.iter().position(|c| c.as_str() == "file-too-large").unwrap();
    let last = CODES.iter().position(|c| c.as_str() == "internal").unwrap();
    for code in CODES[first..=last].iter().map(|c| c.as_str()).filter(|c| !other_parts.contains(c)) {
        assert!(met.contains(&format!("expect: {code} ")) || met.contains(&format!("\"{code}\"")), "{code}");
    }
}

const HEAD: &str = "kbfix: 1\nid: X\ntitle: T\n";

const PLAIN: Paint = Paint { colour: false };

fn human_all<'d>(diagnostics: impl IntoIterator<Item = &'d Diagnostic>) -> String {
    diagnostics.into_iter().map(|d| human(d, PLAIN) + "\n\n").collect()
}

fn shown(text: &str, settings: &[(&str, &str)]) -> String {
    let settings: Settings = settings.iter().copied().collect();
    human_all(&spec::load("specs/X.yaml", text.as_bytes(), &settings).diagnostics)
}

fn kb909094(settings: &[(&str, &str)]) -> String {
    shown(include_str!("../../specs/KB909094.yaml"), settings)
}

#[test]
fn a_word_that_is_not_one_of_a_few() {
    let spec = HEAD.to_owned()
        + "registry:\n  - key: HKLM\\SOFTWARE\\X\n    values:\n      Start: { type: REG_DWROD, data: 1 }\n";
    insta::assert_snapshot!(shown(&spec, &[]));
}

#[test]
fn an_unknown_field_and_an_unquoted_number() {
    insta::assert_snapshot!(shown("kbfix: 1\nid: X\ntitel: T\narticle: { url: 'http://x', revision: 4.1 }\n", &[]));
}

#[test]
fn a_name_inside_a_path() {
    let spec = HEAD.to_owned()
        + "locations:\n  exchange: { registry: { key: HKLM\\SOFTWARE\\X, name: Services } }\nhotfix:\n  files:\n    \
           - { path: '{exchnage}\\bin\\%SysRoot%\\a.dll', version: 6.5.7651 }\n";
    insta::assert_snapshot!(shown(&spec, &[]));
}

#[test]
fn a_setting_that_the_article_does_not_allow() {
    insta::assert_snapshot!(kb909094(&[("realm_hint", "2")]));
    insta::assert_snapshot!(kb909094(&[("realm_hnt", "0")]));
    assert_eq!(kb909094(&[("realm_hint", "0")]), "");
}

#[test]
fn a_setting_reaches_the_data() {
    let text = include_bytes!("../../specs/KB909094.yaml");
    for (set, parameter, data) in [("0", "0", "dword:00000000"), ("0x1", "1", "dword:00000001")] {
        let settings = Settings::from_iter([("realm_hint", set)]);
        let spec = spec::load("KB909094", text, &settings).spec.unwrap();
        assert_eq!(spec.parameters["realm_hint"], parameter);
        let spec::model::DesiredKey::Values(values) = &spec.rules[0].desired else { panic!() };
        let spec::model::Desired::OneOf(wanted) = &values[0].desired else { panic!() };
        assert_eq!(wanted[0].to_string(), data);
    }
}

#[test]
fn a_protected_key() {
    let spec = HEAD.to_owned() + "registry:\n  - key: HKLM\\SYSTEM\\CurrentControlSet\\Services\n    ensure: absent\n";
    insta::assert_snapshot!(shown(&spec, &[]));
}

#[test]
fn several_specs_against_each_other() {
    let of = |id: &str, more: &str, data: u32| {
        format!(
            "kbfix: 1\nid: {id}\ntitle: T\n{more}registry:\n  - key: HKLM\\SOFTWARE\\X\n    values:\n      \
             Start: {{ type: REG_DWORD, data: {data} }}\n"
        )
    };
    let only_new = "applicable: { os: { at_least: \"6.2\" } }\n";
    let absent = "kbfix: 1\nid: C\ntitle: T\nregistry:\n  - key: hklm\\software\\x\n    ensure: absent\n";
    let files = [
        ("a.yaml", of("A", "", 4)),
        ("b.yaml", of("B", "", 2).replace("Start", "START")),
        ("new.yaml", of("a", only_new, 3)),
        ("same.yaml", of("D", "", 4)),
        ("c.yaml", absent.to_owned()),
    ];
    let sources: Vec<Source<'_>> = files.iter().map(|(name, text)| Source { name, bytes: text.as_bytes() }).collect();
    let all = spec::load_all(&sources, &Settings::from_iter([("sart", "1")]));
    assert!(all.each.iter().all(|l| l.spec.is_some() && l.diagnostics.is_empty()));
    assert!(all.has_errors());
    // "duplicate-id", "conflicting-specs" and "unknown-setting" are met here.
    insta::assert_snapshot!(human_all(&all.across));
    let harmless = spec::load_all(&[sources[0], sources[3]], &Settings::new());
    assert_eq!(harmless.diagnostics().count(), 0);
    assert_eq!(harmless.into_specs().unwrap().len(), 2);
}

#[test]
fn specs_with_one_id_that_conflict_are_named_by_their_files() {
    let of = |key: &str, data: u32| {
        format!(
            "kbfix: 1\nid: A\ntitle: T\nregistry:\n  - {{ key: {key}, values: {{ v: {{ type: REG_DWORD, data: {data} }} }} }}\n"
        )
    };
    for key in [r"HKLM\SOFTWARE\X", r"HKLM\SOFTWARE\*"] {
        let files = [of(r"HKLM\SOFTWARE\X", 1), of(key, 2)];
        let sources = [("a.yaml", &files[0]), ("b.yaml", &files[1])];
        let sources = sources.map(|(name, text)| Source { name, bytes: text.as_bytes() });
        let across = spec::load_all(&sources, &Settings::new()).across;
        let conflict = across.iter().find(|d| d.code.as_str() == "conflicting-specs").unwrap();
        assert!(conflict.message.starts_with("a.yaml and b.yaml require different states of `v`"), "{conflict:?}");
    }
}

#[test]
fn a_key_under_another_name_is_the_same_key() {
    let of = |id: &str, key: &str, rule: &str| {
        format!("kbfix: 1\nid: {id}\ntitle: T\nregistry:\n  - key: {key}\n    {rule}\n")
    };
    let across = |a: (&str, &str), b: (&str, &str)| {
        let files = [of("A", a.0, a.1), of("B", b.0, b.1)];
        let sources = [("a.yaml", &files[0]), ("b.yaml", &files[1])];
        let sources = sources.map(|(name, text)| Source { name, bytes: text.as_bytes() });
        let all = spec::load_all(&sources, &Settings::new());
        all.across.iter().map(|d| format!("{}: {}", d.code.as_str(), d.message)).collect::<Vec<_>>()
    };
    let (one, two) = ("values: { v: { type: REG_DWORD, data: 1 } }", "values: { v: { type: REG_DWORD, data: 2 } }");
    let (classes, root) = (r"HKLM\SOFTWARE\Classes\x\shell", r"HKCR\X\shell");
    assert_eq!(
        across((classes, one), (root, two)),
        [
            r"conflicting-specs: A and B require different states of `v` in `HKCR\X\shell`, the same key as `HKLM\SOFTWARE\Classes\x\shell`"
        ]
    );
    assert_eq!(
        across((r"HKCR\x", "ensure: absent"), (classes, two)),
        [r"conflicting-specs: A and B require different states of the key `HKCR\x`"]
    );
    let narrow = "view: 32\n    values: { v: { type: REG_DWORD, data: 2 } }";
    assert_eq!(across((r"HKCR\CLSID\x", one), (r"HKCR\CLSID\x", narrow)), [""; 0]);
    assert_eq!(across((r"HKCR\CLSID\*", narrow), (r"HKLM\SOFTWARE\Classes\CLSID\*", narrow)), [""; 0]);
    assert_eq!(across((r"HKU\S-1-5-18\x", one), (r"HKU\.DEFAULT\X", two)).len(), 1);
    assert_eq!(across((classes, one), (root, one)), [""; 0]);

    // A star of one spec may match the key of another.
    let (star, foo) = (r"HKLM\SOFTWARE\Foo\*", r"HKLM\SOFTWARE\Foo\Bar");
    let warns = |name: &str, key: &str, other: &str| {
        format!(
            "conflicting-specs: A and B require different states of {name}`{key}`, which can be the same key as `{other}`"
        )
    };
    assert_eq!(across((star, one), (foo, two)), [warns("`v` in ", foo, star)]);
    assert_eq!(across((foo, one), (star, two)), [warns("`v` in ", star, foo)]);
    assert_eq!(across((star, one), (r"HKLM\SOFTWARE\Foo\B*", two)), [warns("`v` in ", r"HKLM\SOFTWARE\Foo\B*", star)]);
    let below = r"HKLM\SOFTWARE\Foo\*\Bar\Old";
    assert_eq!(
        across((below, "ensure: absent"), (r"HKLM\SOFTWARE\Foo\x\Bar\Old", one)),
        [warns("the key ", r"HKLM\SOFTWARE\Foo\x\Bar\Old", below)]
    );
    assert_eq!(across((star, one), (foo, one)), [""; 0]);
    assert_eq!(across((star, one), (r"HKLM\SOFTWARE\Foo\Bar\x", two)), [""; 0]);
    assert_eq!(across((star, one), (r"HKLM\SOFTWARE\Fo\Bar", two)), [""; 0]);
    assert_eq!(across((star, one), (foo, "view: 32\n    values: { v: { type: REG_DWORD, data: 2 } }")), [""; 0]);

    let tree = format!("exclusive: tree\n    {one}");
    assert_eq!(
        across((r"HKCR\x", &tree), (classes, two)),
        [
            r"conflicting-specs: A and B require different states of the key `HKLM\SOFTWARE\Classes\x\shell`, which `HKCR\x` must not contain"
        ]
    );
    let other = "values: { w: { type: REG_DWORD, data: 1 }, x: { ensure: absent } }";
    let named = format!("{tree}\n  - {{ key: HKCR\\X\\Shell, {one} }}");
    for (a, b) in
        [((root, &*format!("exclusive: true\n    {one}")), (classes, other)), ((r"HKCR\x", &named), (classes, other))]
    {
        let found = across(a, b);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].contains(
                r"the value `w` in the key `HKLM\SOFTWARE\Classes\x\shell`, which must contain no other values"
            ),
            "{found:?}"
        );
        assert_eq!(across(b, a).len(), 1);
    }
    let values = format!("exclusive: true\n    {one}");
    assert_eq!(across((r"HKCR\x", &values), (classes, two)), [""; 0]);
    assert_eq!(
        across((root, &values), (classes, "values: { w: { ensure: absent }, V: { type: REG_DWORD, data: 1 } }")),
        [""; 0]
    );
    assert_eq!(across((r"HKCR\x", &tree), (classes, "ensure: absent")), [""; 0]);
    assert_eq!(across((r"HKCR\x", &tree), (classes, "values: { w: { ensure: absent } }")), [""; 0]);

    let within = |second: &str| {
        let text = of("A", classes, &format!("{one}\n  - {second}"));
        let found = spec::load("a.yaml", text.as_bytes(), &Settings::new()).diagnostics;
        found.iter().map(|d| d.code.as_str().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(within(r"{ key: HKCR\x\shell, values: { w: { type: REG_DWORD, data: 1 } } }"), ["duplicate-key"]);
    assert_eq!(within(r"{ key: HKCR\x, ensure: absent }"), ["conflicting-rules"]);
    // Both views of a key that they share: one rule, and no two.
    let both = r"{ key: HKLM\SYSTEM\x\y\z, view: both, values: { w: { type: REG_DWORD, data: 1 } } }";
    assert_eq!(within(both), ["view-without-effect"]);
}

/// If a parameter has no data, two rules contradict each other only if they do so for any data of the parameter.
#[test]
fn rules_that_contradict_each_other_for_any_data_of_a_parameter() {
    let open = "parameters: { p: { description: d, allowed: [1, 2] }, q: { description: d, range: { at_least: 5, at_most: 9 } }, \
                text: { description: d, type: string }, name: { description: d, type: string }, list: { description: d, type: list } }";
    let spec = |id: &str, rules: &str| format!("kbfix: 1\nid: {id}\ntitle: T\n{open}\nregistry:\n{rules}");
    let codes = |found: &[kbfix::diag::Diagnostic]| -> Vec<String> {
        let all = found.iter().filter(|d| d.code.as_str() != "unused-parameter");
        all.map(|d| format!("{}: {}", d.code.as_str(), d.message)).collect()
    };
    let settings = Settings::for_validation();
    let key = r"HKLM\SOFTWARE\T";
    let value = |key: &str, rule: &str| format!("  - key: {key}\n    values: {{ v: {rule} }}\n");
    let dword = |data: &str| format!("{{ type: REG_DWORD, data: {data}, keep: none }}");
    for (a, b, agrees) in [
        (dword("{ parameter: p }"), dword("2"), true),
        (dword("{ parameter: p }"), dword("3"), false),
        (dword("{ parameter: q }"), dword("7"), true),
        (dword("{ parameter: q }"), dword("4"), false),
        (dword("{ parameter: p }"), dword("{ parameter: q }"), false),
        (dword("{ parameter: p }"), "{ type: REG_DWORD, bits: { set: 4 } }".to_owned(), false),
        (dword("{ parameter: q }"), "{ ensure: absent }".to_owned(), false),
        ("{ type: REG_SZ, data: { parameter: text } }".to_owned(), "{ type: REG_SZ, data: x }".to_owned(), true),
        ("{ type: REG_SZ, data: { parameter: text } }".to_owned(), dword("2"), false),
        ("{ list: { add: { parameter: list } } }".to_owned(), "{ ensure: absent }".to_owned(), true),
        ("{ list: { add: { parameter: list } } }".to_owned(), "{ type: REG_SZ, data: x }".to_owned(), false),
    ] {
        let files = [spec("A", &value(key, &a)), spec("B", &value(key, &b))];
        for order in [[0, 1], [1, 0]] {
            let sources = order.map(|at| Source { name: "x.yaml", bytes: files[at].as_bytes() });
            let across = codes(&spec::load_all(&sources, &settings).across);
            assert_eq!(across.is_empty(), agrees, "{a} and {b}: {across:?}");
        }
        // The same two rules in one spec, of which the second has a condition.
        let conditional = value(key, &b).replace("    values", "    when: { os: { at_least: \"6.2\" } }\n    values");
        let text = spec("A", &(value(key, &a) + &conditional));
        let found = codes(&spec::load("a.yaml", text.as_bytes(), &settings).diagnostics);
        assert_eq!(found.is_empty(), agrees, "{a} and {b}: {found:?}");
    }
    let (here, other) = (format!(r"{key}\{{name}}"), format!(r"{key}\{{text}}"));
    let across = |a: &str, b: &str| {
        let files = [spec("A", a), spec("B", b)];
        let sources = [("a.yaml", &files[0]), ("b.yaml", &files[1])];
        let sources = sources.map(|(name, text)| Source { name, bytes: text.as_bytes() });
        codes(&spec::load_all(&sources, &settings).across)
    };
    let (one, two) = (dword("1"), dword("2"));
    assert_eq!(
        across(&value(&here, &one), &value(&here, &two)),
        [r"conflicting-specs: A and B require different states of `v` in `HKLM\SOFTWARE\T\{name}`"]
    );
    // The example data of both parameters is `0`.
    assert_eq!(across(&value(&here, &one), &value(&other, &two)), [""; 0]);
    assert_eq!(across(&value(&here, &one), &value(&format!(r"{key}\0"), &two)), [""; 0]);
    assert_eq!(
        across(&format!("  - {{ key: {key}, ensure: absent }}\n"), &value(&here, &two)),
        [r"conflicting-specs: A and B require different states of the key `HKLM\SOFTWARE\T`"]
    );
    let tree = format!("  - {{ key: {key}, exclusive: tree }}\n");
    assert_eq!(
        across(&tree, &value(&here, &two)),
        [
            r"conflicting-specs: A and B require different states of the key `HKLM\SOFTWARE\T\{name}`, which `HKLM\SOFTWARE\T` must not contain"
        ]
    );
    assert_eq!(across(&(tree.clone() + &value(&other, &two)), &value(&here, &two)), [""; 0]);
    let both = spec("A", &(value(&here, &one) + &value(&other, &two)));
    assert_eq!(codes(&spec::load("a.yaml", both.as_bytes(), &settings).diagnostics), [""; 0]);
    let same = spec("A", &(value(&here, &one) + &value(&here, &two)));
    assert_eq!(
        codes(&spec::load("a.yaml", same.as_bytes(), &settings).diagnostics),
        [r"duplicate-key: the key `HKLM\SOFTWARE\T\{name}` has two rules, the first in line 6"]
    );
}

#[test]
fn for_programs_and_for_github() {
    let text = HEAD.to_owned() + "restart: { computer: nevr }\nregistry:\n  - key: HKLM:\\X\n";
    let found = spec::load("specs/50%,a:b.yaml", text.as_bytes(), &Settings::new()).diagnostics;
    let lines: Vec<String> = found.iter().map(github).collect();
    insta::assert_snapshot!(lines.join("\n"));
    insta::assert_snapshot!(json(&found));
}

#[test]
fn colours_only_where_asked_for_and_no_control_characters_from_files() {
    let found =
        spec::load("evil\u{1b}[31m.yaml", b"kbfix: 1\nid: \"\\e[2J\"\ntitle: T\n", &Settings::new()).diagnostics;
    let escape = '\u{1b}';
    assert!(found.iter().all(|finding| !github(finding).contains(escape)), "{found:?}");
    for diagnostic in &found {
        assert!(!human(diagnostic, PLAIN).contains(escape));
        assert!(human(diagnostic, Paint { colour: true }).contains(escape));
        assert!(!human(diagnostic, Paint { colour: true }).contains("\u{1b}[2J"));
    }
}

/// A rule contradicts the absence of its key only if it needs the key: because of a value that must exist.
#[test]
fn a_rule_that_does_not_need_its_key_fits_the_absence_of_the_key() {
    let of = |id: &str, rules: &str| {
        format!("kbfix: 1\nid: {id}\ntitle: T\nregistry:\n{}", rules.replace('@', r"  - key: HKLM\SOFTWARE\T"))
    };
    let codes = |found: &[kbfix::diag::Diagnostic]| {
        found.iter().map(|d| format!("{:?} {}", d.severity, d.code.as_str())).collect::<Vec<_>>()
    };
    let when = r"when: { registry: { key: HKLM\SOFTWARE\Q } }";
    let absent = "ensure: absent";
    let exists = "values: { v: { type: REG_DWORD, data: 1 } }".to_owned();
    let maybe = format!("values: {{ v: {{ type: REG_DWORD, data: 1, {when} }} }}");
    let neither =
        "values: { v: { ensure: absent }, w: { type: REG_DWORD, bits: { clear: 1 }, if_absent: 0 } }".to_owned();
    for (rule, found) in [(&exists, "Error conflicting-specs"), (&maybe, "Warning conflicting-specs"), (&neither, "")] {
        for (above, below) in [(absent, ""), (absent, r"\S"), ("exclusive: tree\n    ensure: present", r"\S")] {
            if above != absent && *rule == neither {
                continue;
            }
            let files = [of("A", &format!("@\n    {above}\n")), of("B", &format!("@{below}\n    {rule}\n"))];
            let sources = [("a.yaml", &files[0]), ("b.yaml", &files[1])];
            let sources = sources.map(|(name, text)| Source { name, bytes: text.as_bytes() });
            let across = spec::load_all(&sources, &Settings::new()).across;
            assert_eq!(codes(&across).join(" "), found, "{above}, {rule}");
        }
    }
    let within =
        |rules: &str| codes(&spec::load("x", of("X", rules).as_bytes(), &Settings::new()).diagnostics).join(" ");
    let conflict = "Error conflicting-rules";
    for below in ["", r"\S"] {
        for (condition, other, rule, found) in [
            (when, "", &exists, conflict),
            (when, "", &maybe, ""),
            (when, "", &neither, ""),
            ("id: a", when, &exists, conflict),
            ("id: a", when, &maybe, conflict),
            ("id: a", when, &neither, ""),
        ] {
            let other = if other.is_empty() { "id: b" } else { other };
            let rules = format!("@\n    {condition}\n    {absent}\n@{below}\n    {other}\n    {rule}\n");
            assert_eq!(within(&rules), found, "{rules}");
        }
    }
}

/// A key with a parameter that is not set shows the name of the parameter, and not the example data of the checks.
#[test]
fn a_key_shows_the_name_of_a_parameter_without_data() {
    let text = r"kbfix: 1
id: X
title: T
parameters: { open: { description: d, type: string }, set: { description: d, type: string, default: S } }
registry:
  - key: HKLM\SECURITY\a {open}\{set}
    view: both
    when: { any: [{ registry: { key: '.\{set}\x' } }, { registry: { key: 'HKCR\[*]\{open}\*' } }, { registry: { key: 'HKU\{set}' } }] }
  - key: HKLM\SOFTWARE\{set}
    when: { registry: { key: '.\{open}' } }
";
    let spec = spec::load("x", text.as_bytes(), &Settings::for_validation()).spec.unwrap();
    let keys: Vec<String> = spec
        .rules
        .iter()
        .flat_map(|rule| std::iter::once(&rule.key).chain(rule.when.iter().flat_map(|when| when.keys())))
        .map(ToString::to_string)
        .collect();
    let tested = [r"HKLM\SECURITY\a {open}\S\S\x", r"HKCR\[*]\{open}\*", r"HKU\S"];
    let both = [r"HKLM\SECURITY\a {open}\S", r"HKLM\SECURITY\a {open}\S [32-bit view]"];
    let rest = [r"HKLM\SOFTWARE\S", r"HKLM\SOFTWARE\S\{open}"];
    let wanted: Vec<&str> = [&[both[0]][..], &tested, &[both[1]], &tested, &rest].concat();
    assert_eq!(keys, wanted);
}
