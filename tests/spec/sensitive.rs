//! Tests that findings about a spec or a fleet file do not show sensitive data, even if the mistake is in the rule that
//! says that the data is sensitive.

use std::path::Path;

use kbfix::{
    diag::Diagnostic,
    render::{
        Paint,
        diagnostics::{github, human, json},
        dsc::trace,
    },
    spec::{self, Settings, Source},
};

/// Returns everything that kbfix can print about the findings.
fn printed(found: &[Diagnostic]) -> String {
    let of_people = found.iter().map(|one| human(one, Paint { colour: false }));
    let of_github = found.iter().map(github);
    let of_dsc = found.iter().map(trace);
    of_people.chain(of_github).chain(of_dsc).chain([json(found)]).collect::<Vec<_>>().join("\n")
}

/// Loads a spec that has only `fields` besides its head, and returns the findings.
#[track_caller]
fn found(fields: &str, settings: &[(&str, &str)]) -> Vec<Diagnostic> {
    let text = format!("kbfix: 1\nid: X\ntitle: T\n{fields}");
    let settings: Settings = settings.iter().copied().collect();
    spec::load("x.yaml", text.as_bytes(), &settings).diagnostics
}

/// Checks that the spec has a finding with this code at the place `line:column`, and that no finding shows `hunter`.
#[track_caller]
fn hides(fields: &str, settings: &[(&str, &str)], code: &str, place: &str) -> Vec<Diagnostic> {
    let found = found(fields, settings);
    let text = printed(&found);
    assert!(!text.to_lowercase().contains("hunter"), "{fields}\n{text}");
    let at = |one: &Diagnostic| one.place.as_ref().map(|at| format!("{}:{}", at.line, at.column));
    let is_it = |one: &Diagnostic| one.code.as_str() == code && at(one).as_deref() == Some(place);
    assert!(found.iter().any(is_it), "{fields}\n{text}");
    found
}

/// Returns the fields of a spec with one sensitive value.
fn value(rule: &str) -> String {
    format!("registry:\n  - key: HKLM\\SOFTWARE\\X\n    values:\n      V: {rule}\n")
}

#[test]
fn a_mistake_in_a_sensitive_value_does_not_show_its_data() {
    for (rule, code, place) in [
        ("{ type: REG_DWORD, data: hunter, sensitive: true }", "data-kind", "7:35"),
        ("{ type: REG_SZ, data: [hunter1, hunter2], sensitive: true }", "data-kind", "7:32"),
        ("{ type: REG_MULTI_SZ, data: 'hunter`s and others', sensitive: true }", "data-kind", "7:38"),
        ("{ type: REG_BINARY, data: 00 hunter, sensitive: true }", "data-hex", "7:39"),
        ("{ type: REG_BINARY, data: 'hex(7):68,00,75,00,6e,00', sensitive: true }", "data-hex", "7:36"),
        (
            "{ type: REG_MULTI_SZ, data: 'hex(7):68,00,75,00,6e,00,74,00,65,00,72,00', sensitive: true }",
            "data-kind",
            "7:38",
        ),
        ("{ type: REG_SZ, data: a, allowed: [hunter1, hunter2], sensitive: true }", "data-not-allowed", "7:32"),
        ("{ type: REG_SZ, data: hunter1, keep: { one_of: [hunter2] }, sensitive: true }", "data-not-allowed", "7:32"),
        ("{ type: REG_SZ, data: hunter1, keep: { at_least: hunter2 }, sensitive: true }", "data-kind", "7:59"),
        ("{ type: REG_SZ, data: hunter1, keep: [hunter2], sensitive: true }", "wrong-kind", "7:47"),
        ("{ type: REG_SZ, dta: hunter1, sensitive: true }", "unknown-field", "7:26"),
        ("{ type: REG_SZ, data hunter1, sensitive: true }", "unknown-field", "7:26"),
        ("{ type: REG_SZ, hunter1: , sensitive: true }", "unknown-field", "7:26"),
        ("{ type: hunter1, data: REG_SZ, sensitive: true }", "unknown-word", "7:18"),
        ("{ type: REG_DWORD, data: hunter1, sensitive: yes }", "ambiguous-scalar", "7:55"),
        ("{ type: REG_DWORD, data: hunter1, sensitive: }", "empty-field", "7:44"),
        ("{ type: REG_DWORD, data: hunter1, sensitve: true }", "data-kind", "7:35"),
        ("{ type: REG_DWORD, data: hunter1, sensitive: 'true' }", "wrong-kind", "7:55"),
        ("{ type: REG_DWORD, data: 1, sensitive: true, data: hunter2 }", "duplicate-field", "7:55"),
        ("{ list: { add: hunter1 }, sensitive: true }", "data-kind", "7:25"),
        ("{ type: REG_SZ, replace: { pattern: 'hunter(', with: a }, sensitive: true }", "regular-expression", "7:46"),
        ("{ type: REG_SZ, data: { hunter1: hunter2 }, sensitive: true }", "unknown-field", "7:34"),
        ("\n        type: REG_SZ\n        data: !!int hunter1\n        sensitive: true", "yaml-tag", "9:15"),
        (
            "\n        type: REG_DWORD\n        data: |\n          a\n          hunter1\n        sensitive: true",
            "data-kind",
            "10:11",
        ),
        // The mark is indented like the value.
        ("\n        type: REG_DWORD\n        data: hunter1\n      sensitive: true", "data-kind", "9:15"),
    ] {
        hides(&value(rule), &[], code, place);
    }
}

/// A scalar can be another number to another reader, or a hint can correct it to a number.
#[test]
fn no_output_shows_another_reading_of_sensitive_data() {
    // Each spelling with its readings. Some of these numbers are words of the spec language, or in the title below.
    let spellings: &[(&str, &[&str])] = &[
        ("0777", &["777", "511", "0x1ff"]),
        ("-0777", &["777", "511"]),
        ("0100", &["64"]),
        ("0o40", &["32"]),
        ("1_000", &["1000"]),
        ("0x1_00", &["256"]),
        ("0b1011111", &["95"]),
        ("1:30", &["90"]),
        ("190:20:30", &["685230"]),
        ("+0x1F5", &["501"]),
        ("+4711", &["4711"]),
        ("0xABCDE", &["703710", "abcde"]),
        ("64.0", &["64"]),
        ("64.5", &["64"]),
        ("0x1FFFFFFFFFFFFFFFFF", &["590295810358705651711"]),
        ("'6 4'", &["64"]),
        ("64 bits", &["64"]),
        ("'0x1ff'", &["511"]),
        ("\"123\"", &["123"]),
        ("$1f", &["$"]),
        ("on", &["1"]),
    ];
    let types = ["REG_DWORD", "REG_QWORD", "REG_SZ", "REG_MULTI_SZ", "REG_BINARY"];
    let rules = [
        "data: @",
        "data: [@]",
        "data: { a: @ }",
        "data: 9, if_absent: @",
        "data: 9, allowed: [@]",
        "data: 9, keep: { at_least: @ }",
        "data: 9, keep: { one_of: [@] }",
        "data: 9, keep: @",
        "bits: { set: @ }",
        "bits: @",
        "list: { add: [@] }",
        "data: 9, @: 9",
    ];
    let mut specs = Vec::new();
    for (spelling, readings) in spellings {
        for rule in rules.map(|rule| rule.replace('@', spelling)) {
            let of_types = types.map(|one| value(&format!("{{ type: {one}, {rule}, sensitive: true }}")));
            specs.extend(of_types.map(|fields| (fields, spelling, readings)));
        }
        for declared in ["type: number, default: @", "allowed: [@]", "allowed: { @: a }", "type: string, default: @"] {
            let declared = declared.replace('@', spelling);
            let uses = value("{ type: REG_DWORD, data: { parameter: p } }");
            let fields = format!("parameters: {{ p: {{ description: d, sensitive: true, {declared} }} }}\n{uses}");
            specs.push((fields, spelling, readings));
        }
    }
    let mut count = 0;
    for (fields, spelling, readings) in specs {
        let title = "T 1 3 32 64 90 95 123 256 501 511 777 1000";
        let text = format!("kbfix: 1\nid: X\ntitle: {title}\n{fields}");
        let found = spec::load("x.yaml", text.as_bytes(), &Settings::new()).diagnostics;
        let printed = printed(&found).to_lowercase();
        let words: Vec<String> = found
            .iter()
            .flat_map(|one| [one.message.clone(), one.advice().unwrap_or_default()])
            .flat_map(|text| {
                let text = text.to_lowercase().replace("yaml 1.1", "").replace("yaml 1.2", "").replace("[0]", "");
                text.split(|c: char| !c.is_alphanumeric() && c != '$').map(str::to_owned).collect::<Vec<_>>()
            })
            .collect();
        let is_shown = |text: &&str| match text.len() {
            // The place of a finding also has numbers.
            0..=3 => words.iter().any(|word| word == *text),
            _ => printed.contains(*text),
        };
        let whole = spelling.trim_matches(['"', '\'']).to_lowercase();
        // A word with which an author can write that something is sensitive may be shown as the name of a field.
        let whole = Some(&*whole).filter(|whole| *whole != "on");
        let shown: Vec<_> = readings.iter().copied().chain(whole).filter(is_shown).collect();
        assert!(shown.is_empty(), "{shown:?} is in\n{printed}\nabout\n{text}");
        count += usize::from(!found.is_empty());
    }
    assert!(count > 1000, "{count}");
}

#[test]
fn a_message_says_all_that_is_not_sensitive() {
    let words = |rule: &str, code: &str, place: &str| {
        let found = hides(&value(rule), &[], code, place);
        let one = found.iter().find(|one| one.code.as_str() == code).unwrap();
        format!("{} / {}", one.message, one.advice().unwrap_or_default())
    };
    assert_eq!(
        words("{ type: REG_DWORD, data: hunter, sensitive: true }", "data-kind", "7:35"),
        "REG_DWORD takes a number, but (hidden) is not a number / write the number in decimal, \
        or as 0x…: whole, not negative, and of at most 64 bits"
    );
    assert_eq!(
        words("{ type: REG_SZ, data: 4711, sensitive: true }", "data-kind", "7:32"),
        "REG_SZ takes a string, but (hidden) without quotes is a number / write it in quotes"
    );
    assert_eq!(
        words("{ type: REG_SZ, dta: hunter, sensitive: true }", "unknown-field", "7:26"),
        "`registry[0].values.V` has no field `dta` / did you mean `data`?"
    );
    // The digits of a version of YAML are not data.
    let allowed = "parameters: { p: { description: d, allowed: { on: hunter, 0x1: hunter2 }, sensitive: true } }\n";
    let text = printed(&found(allowed, &[]));
    assert!(text.contains("in YAML 1.2 and true or false in YAML 1.1, which Ansible reads"), "{text}");
    assert!(text.contains("(hidden) without quotes is the number (hidden)") && !text.contains("hunter"), "{text}");
    // Data that is not sensitive is shown.
    let text = printed(&found(&value("{ type: REG_DWORD, data: hunter, sensitive: false }"), &[]));
    assert!(text.contains("`hunter` is not a number") && text.contains("data: hunter, sensitive"), "{text}");
}

#[test]
fn what_belongs_to_a_sensitive_value_is_sensitive() {
    let with = |parameter: &str, value: &str| {
        format!(
            "parameters: {{ p: {{ description: d, {parameter} }} }}\nregistry:\n  - key: HKLM\\SOFTWARE\\X\n    \
                values:\n      V: {{ {value} }}\n"
        )
    };
    let used = "type: REG_DWORD, data: { parameter: p }, sensitive: true";
    let plain = "type: REG_DWORD, data: { parameter: p }";
    let not = "setting-not-allowed";
    hides(&with("default: hunter", used), &[], "parameter-kind", "4:45");
    hides(&with("type: number, default: hunter, sensitive: true", plain), &[], "parameter-kind", "4:59");
    hides(&with("sensitive: true, allowed: { hunter1: hunter2 }", plain), &[], "parameter-kind", "4:64");
    hides(&with("sensitive: true, type: string, allowed: [hunter1]", plain), &[], "parameter-not-set", "4:15");
    hides(&with("sensitive: true", plain), &[("p", "hunter")], not, "4:15");
    hides(&with("default: 1", used), &[("p", "hunter")], not, "4:15");
    // The declaration and the value have errors.
    hides(&with("sensitive: 1", plain), &[("p", "hunter")], "wrong-kind", "4:47");
    hides(&with("default: 1", &format!("{used}, dat: 5")), &[("p", "hunter")], not, "4:15");
    hides(&with("sensitive: true, dfault: 1", plain), &[("p", "hunter")], not, "4:15");
    let listed = "type: REG_DWORD, data: { parameter: p }, allowed: [hunter]";
    hides(&with("sensitive: true, default: 1", listed), &[], "data-kind", "8:63");
    // A value that uses the parameter of a sensitive value.
    let other = "type: REG_DWORD, data: { parameter: p }, keep: { at_least: hunter } }\n      \
                 W: { type: REG_DWORD, data: { parameter: p }, sensitive: true";
    hides(&with("default: 1", other), &[], "data-kind", "8:71");
    // An anchor.
    let anchor = "sources: [{ level: inference, what: &a hunter }]\n";
    hides(&format!("{anchor}{}", value("{ type: REG_DWORD, data: *a, sensitive: true }")), &[], "data-kind", "8:35");
    // A condition on the value.
    let condition =
        "prerequisites:\n  - title: t\n    registry: { key: HKLM\\SOFTWARE\\X, name: V, at_least: hunter }\n";
    let fields = format!("{condition}{}", value("{ type: REG_SZ, data: a, sensitive: true }"));
    hides(&fields, &[], "data-kind", "6:58");
}

#[test]
fn a_text_that_is_not_yaml_shows_nothing_if_it_has_sensitive_data() {
    for (rule, code, place) in [
        ("{ type: REG_SZ, data: hunter1 sensitive: true }", "yaml-syntax", "7:40"),
        ("{ type: REG_SZ, data: \"hunter1, sensitive: true }", "yaml-syntax", "7:32"),
        ("{ type: REG_SZ, data: 'hunter's', sensitive: true }", "yaml-syntax", "7:39"),
        ("{ type: REG_SZ, data: %hunter, sensitive: true }", "yaml-syntax", "7:32"),
        ("{ type: REG_SZ, data: *hunter, sensitive: true }", "yaml-syntax", "7:32"),
        ("{ type: REG_SZ, data: \"\\hunter\", sensitive: true }", "yaml-syntax", "7:33"),
        ("\n        sensitive: true\n        data:hunter1\n        type: REG_SZ", "yaml-syntax", "9:13"),
        ("\n        type: REG_SZ\n        data: hunter: 1\n        sensitive: true", "yaml-syntax", "9:21"),
        ("\n        type: REG_SZ\n        data: hunter\u{b}1\n        sensitive: true", "control-character", "9:21"),
    ] {
        hides(&value(rule), &[], code, place);
        // Without the mark, the line is shown.
        let text = printed(&found(&value(&rule.replace("sensitive", "compare")), &[]));
        assert!(text.contains("hunter"), "{text}");
    }
    let bytes = [value("{ type: REG_SZ, sensitive: true, data: hunter").as_bytes(), b"\xFF }\n"].concat();
    let text = printed(&spec::load("x.yaml", &bytes, &Settings::new()).diagnostics);
    assert!(text.contains("not-utf8") && !text.contains("hunter"), "{text}");
}

#[test]
fn a_conflict_between_two_specs_does_not_show_the_line() {
    let spec = |id: &str, data: &str| {
        let rule = value(&format!("{{ type: REG_SZ, data: {data}, sensitive: true }}"));
        format!("kbfix: 1\nid: {id}\ntitle: T\n{rule}")
    };
    let (a, b) = (spec("A", "hunter1"), spec("B", "hunter2"));
    let sources = [("a", &a), ("b", &b)].map(|(name, text)| Source { name, bytes: text.as_bytes() });
    let loaded = spec::load_all(&sources, &Settings::new());
    let text = printed(&loaded.diagnostics().cloned().collect::<Vec<_>>());
    assert!(text.contains("conflicting-specs") && !text.contains("hunter"), "{text}");
}

/// Every fixture with a mistake, with each of its values and parameters marked as sensitive.
#[test]
fn no_mistake_of_the_fixtures_shows_data_that_is_marked() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/specs/invalid");
    let mut count = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap_or_default();
        // Words that would also be in a message about other data.
        let is_shown = |word: &str| word.chars().count() > 2 && text.matches(word).count() == 1;
        for field in ["data: ", "default: ", "add: ", "one_of: ", "allowed: ", "if_absent: "] {
            for (at, _) in text.match_indices(&format!(" {field}")) {
                let Some(open) = text[..at].rfind('{').filter(|open| !text[*open..at].contains('\n')) else { continue };
                let data = text[at + 1 + field.len()..].split([',', '}', '\n', ']']).next().unwrap_or_default();
                let data = data.trim().trim_matches(['"', '\'', '[']);
                if !is_shown(data) || data.starts_with(['{', '*', '&', '!']) {
                    continue;
                }
                let marked = format!("{} sensitive: true,{}", &text[..=open], &text[open + 1..]);
                let found = spec::load("x.yaml", marked.as_bytes(), &Settings::for_validation()).diagnostics;
                let printed = printed(&found);
                assert!(!printed.contains(data), "`{data}` is in\n{printed}\nabout\n{marked}");
                count += 1;
            }
        }
    }
    assert!(count > 40, "{count}");
}

#[test]
fn sensitivity_is_followed_through_any_number_of_values() {
    // The last value is sensitive, and each value shares a parameter with the one before it.
    let last = 2_000;
    let parameters: String = (0..=last).map(|n| format!("  p{n}: {{ description: d, type: string }}\n")).collect();
    let two = |n: usize| format!("{{ parameter: p{n} }}, {{ parameter: p{} }}", n + 1);
    let values: String =
        (0..last).map(|n| format!("      V{n}: {{ type: REG_MULTI_SZ, data: [{}] }}\n", two(n))).collect();
    // A list cannot contain a parameter, but the findings must not show the strings beside it.
    let mistake = "      V: { type: REG_MULTI_SZ, data: [hunter, { parameter: p0 }] }\n";
    let mark = format!("      W: {{ type: REG_SZ, sensitive: true, data: {{ parameter: p{last} }} }}\n");
    let rules = format!("registry:\n  - key: HKLM\\SOFTWARE\\X\n    values:\n{mistake}{values}{mark}");
    hides(&format!("parameters:\n{parameters}{rules}"), &[], "wrong-kind", &format!("{}:47", last + 9));
}
