//! Tests the formats of a fleet report, with names and data that could break each format.

use std::path::PathBuf;

use kbfix::{
    fleet::{FleetReport, Member, Members},
    render::{
        Paint,
        fleet::{MOST_LOCATIONS, MOST_MARKDOWN, csv, html, human, json, junit, lines, markdown, sarif},
    },
};
use serde_json::{Value, json};

use super::{
    page::large,
    support::{Folder, OTHER, SPEC, dword, report, specs, sz, text},
};

/// Names with a special meaning in HTML, Markdown, CSV, XML, on a terminal or for a reader.
const HOSTILE: [&str; 12] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "]]><x/>",
    "=HYPERLINK(\"http://x.example\")",
    "@SUM(1)",
    "a|b`c`**d** [e](http://f.example) @octocat",
    "```\n# heading",
    "\u{1b}[31mred\r\nFE1: in desired state",
    "\u{202e}gnp.exe",
    "\u{0}\u{b}\u{fffe}\u{ffff}",
    "&lt;&amp;&#x3c;",
];

/// A fleet whose names, groups, data and reasons are hostile.
pub(super) fn hostile() -> (Folder, FleetReport) {
    let folder = Folder::new();
    let mut members = Vec::new();
    for (at, name) in HOSTILE.iter().enumerate() {
        folder.machine(&format!("m{at}"), json!({ "Product": sz("x"), "Version": dword(2), "Second": sz(name) }));
        let file = folder.path().join(format!("m{at}.json"));
        let named = format!("snapshot:{name}.json");
        let uri = format!("snapshot:{}", file.display());
        let address = match at % 4 {
            3 => Err(format!("because of {name}")),
            _ => Ok(kbfix::targets::Address::new(&uri, None, None).unwrap()),
        };
        members.push(Member {
            name: (*name).to_owned(),
            named,
            address,
            groups: vec![(*name).to_owned()],
            parameters: Default::default(),
        });
    }
    let mut title = SPEC.replace("Two values", "'<b>Two</b> values & more'");
    title = title.replace("Version 2", "'<i>Version</i> | 2'");
    let report = report(&Members::new(members, Vec::new()), &specs(&[&title, OTHER]));
    (folder, report)
}

#[test]
fn html_has_no_markup_but_its_own() {
    let (_folder, report) = hostile();
    let page = html(&report);
    assert_eq!(page.matches("<script>").count(), 1);
    for attack in ["<img", "<b>Two", "<i>Version", "\u{202e}", "\u{1b}", "\u{0}"] {
        assert!(!page.contains(attack), "{attack:?}");
    }
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    // The page loads nothing and runs no other script.
    for from in ["src=\"", "href=\"http", "@import", "url(", "fetch("] {
        assert!(!page.contains(from), "{from}");
    }
    assert!(page.contains("default-src 'none'; style-src 'sha256-"), "{}", &page[..600]);
}

#[test]
fn the_page_says_everything_without_script() {
    let report = Folder::mixed().report(&specs(&[SPEC, OTHER]));
    let page = html(&report);
    for row in &report.machines {
        assert!(page.contains(&format!("<td>{}</td>", row.name)), "{}", row.name);
    }
    for case in report.cases.iter().filter(|case| case.asks()) {
        if let Some(digest) = &case.digest {
            assert!(page.contains(&**digest));
        }
        for reason in case.evidence().map(|(_, evidence)| &evidence.wanted) {
            assert!(page.contains(&**reason), "{reason}");
        }
    }
    assert!(page.contains("no right to read Version") && page.contains("it is not a snapshot"));
}

#[test]
fn csv_has_no_formulas_and_one_row_for_each_spec() {
    let (_folder, report) = hostile();
    let text = text(csv, &report);
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 9 * 2 + 3);
    for cell in rows.iter().flatten() {
        assert!(!cell.trim_start().starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell}");
        assert!(!cell.contains(['\n', '\u{1b}', '\u{202e}']), "{cell:?}");
    }
}

#[test]
fn junit_is_xml_whatever_the_names() {
    let (folder, report) = hostile();
    let text = text(junit, &report);
    assert!(!text.chars().any(|c| matches!(c, '\u{0}'..='\u{8}' | '\u{b}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')));
    let mut reader = quick_xml::Reader::from_str(&text);
    let (mut tests, mut depth) = (0, 0);
    loop {
        match reader.read_event().unwrap() {
            quick_xml::events::Event::Start(start) => {
                depth += 1;
                tests += usize::from(start.name().as_ref() == b"testcase");
            }
            quick_xml::events::Event::Empty(start) => tests += usize::from(start.name().as_ref() == b"testcase"),
            quick_xml::events::Event::End(_) => depth -= 1,
            quick_xml::events::Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!((tests, depth), (9 * 2 + 3, 0));
    let Some(schema) = tool("KBFIX_JUNIT_XSD") else { return };
    let Some(python) = tool("KBFIX_PYTHON") else { return };
    let file = folder.write("junit.xml", &text);
    let check = "import sys\nfrom lxml import etree\netree.XMLSchema(etree.parse(sys.argv[1])).assertValid(etree.parse(sys.argv[2]))";
    let status = std::process::Command::new(python).args(["-c", check]).arg(schema).arg(file).output().unwrap();
    assert!(status.status.success(), "{}", String::from_utf8_lossy(&status.stderr));
}

#[test]
fn sarif_has_a_result_for_each_case() {
    let (_folder, report) = hostile();
    let document: Value = serde_json::from_str(&text(sarif, &report)).unwrap();
    let results = document["runs"][0]["results"].as_array().unwrap();
    let asks = report.cases.iter().filter(|case| case.asks()).count();
    assert_eq!(results.len(), asks + 3);
    let places: usize = results.iter().map(|result| result["locations"].as_array().unwrap().len()).sum();
    assert_eq!(places, 9 * 2 + 3);
    let rules = document["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
    for result in results {
        let rule = &rules[result["ruleIndex"].as_u64().unwrap() as usize];
        assert_eq!(rule["id"], result["ruleId"]);
    }
    check_sarif(&document);
}

/// Checks a document against the published schema of SARIF 2.1.0.
fn check_sarif(document: &Value) {
    let Some(schema) = tool("KBFIX_SARIF_SCHEMA") else { return };
    let mut schema: Value = serde_json::from_str(&std::fs::read_to_string(schema).unwrap()).unwrap();
    // In the published schema, the pattern for a language is not a valid regular expression: it has one `]` too many.
    for definition in schema["definitions"].as_object_mut().unwrap().values_mut() {
        if let Some(language) = definition.pointer_mut("/properties/language") {
            language.as_object_mut().unwrap().remove("pattern");
        }
    }
    jsonschema::draft4::validate(&schema, document).unwrap_or_else(|e| panic!("{e}"));
}

#[test]
fn sarif_has_no_more_locations_than_github_accepts() {
    let document: Value = serde_json::from_str(&text(sarif, &large(4_000))).unwrap();
    check_sarif(&document);
    let results = document["runs"][0]["results"].as_array().unwrap();
    let mut cut = 0;
    for result in results {
        let message = result["message"]["text"].as_str().unwrap();
        let places = result["locations"].as_array().unwrap().len();
        let machines: usize = message.split(' ').next().unwrap().replace(',', "").parse().unwrap_or(1);
        assert_eq!(places, machines.min(MOST_LOCATIONS), "{message}");
        let sentence = format!("; the locations are only the first {MOST_LOCATIONS} of these machines");
        assert_eq!(message.ends_with(&sentence), machines > MOST_LOCATIONS, "{message}");
        cut += usize::from(machines > MOST_LOCATIONS);
    }
    assert!(cut > 0 && cut < results.len(), "{cut}");
}

/// A writer that accepts this number of bytes and then fails.
struct Full(usize);

impl std::io::Write for Full {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0 == 0 {
            return Err(std::io::ErrorKind::StorageFull.into());
        }
        let size = bytes.len().min(self.0);
        self.0 -= size;
        Ok(size)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_format_that_cannot_be_written_says_so() {
    let (_folder, report) = hostile();
    for write in [csv, json, junit, lines, sarif] {
        let size = text(write, &report).len();
        write(&report, &mut Full(size)).unwrap();
        for room in [0, 100, size / 2, size - 1] {
            let error = write(&report, &mut Full(room)).unwrap_err();
            assert_eq!(error.kind(), std::io::ErrorKind::StorageFull, "{room}");
        }
    }
}

#[test]
fn markdown_shows_text_as_text() {
    let (_folder, report) = hostile();
    let text = markdown(&report);
    // In a fenced block, everything is plain text.
    let mut outside: String = text.split("\n```").step_by(2).collect();
    // A character after a backslash is only that character.
    while let Some(at) = outside.find('\\') {
        outside.replace_range(at..at + 2, "");
    }
    for attack in ["<script", "<img", "@octocat", "](http://f", "\u{1b}", "\u{202e}"] {
        assert!(!outside.contains(attack), "{attack:?} in {outside}");
    }
    // A fence of data does not end the block.
    assert_eq!(text.matches("\n```").count() % 2, 0, "{text}");
    assert!(!text.contains("\n# heading"));
}

#[test]
fn markdown_fits_and_counts_what_it_leaves_out() {
    let folder = Folder::new();
    let long = "x".repeat(5000);
    for at in 0..120 {
        let second = sz(&format!("{at} {long}"));
        folder.machine(&format!("M{at:03}"), json!({ "Product": sz("x"), "Version": dword(2), "Second": second }));
        folder.machine(
            &format!("OLD{at:03}-{}", "n".repeat(150)),
            json!({ "Product": sz("x"), "Version": dword(1000 + at) }),
        );
        folder.write(&format!("BROKEN{at:03}-{}.json", "n".repeat(150)), "{");
    }
    let spec = SPEC.replace("at_least: 2", "equals: 2");
    let report = folder.report(&specs(&[&spec]));
    let text = markdown(&report);
    assert!(text.len() <= MOST_MARKDOWN, "{}", text.len());
    assert!(text.len() > MOST_MARKDOWN / 2, "{}", text.len());
    let shown = |start: &str| text.lines().filter(|line| line.starts_with(start)).count();
    for (start, what) in [("#### 1 machine", "cases"), ("| OLD", "rows"), ("| BROKEN", "machines")] {
        let more = format!("**Not shown here: {} {what}**", 120 - shown(start));
        assert!(text.contains(&more), "{more}");
    }
}

#[test]
fn without_a_readable_machine_there_is_no_table_of_specs() {
    let folder = Folder::new();
    folder.write("BROKEN.json", "{");
    let report = folder.report(&specs(&[SPEC]));
    let text = human(&report, Paint { colour: false });
    assert!(text.starts_with("1 machine (unreadable: 1)\n\nBROKEN: unreadable\n"), "{text}");
    let text = markdown(&report);
    assert!(text.contains("1 machine (unreadable: 1)\n\n### Unreadable\n"), "{text}");
    let page = html(&report);
    assert!(!page.contains("Specs</") && !page.contains("without changes"), "{page}");
}

/// Returns a file that `tests/run` downloads. If it is absent, a test skips a part and says so.
fn tool(variable: &str) -> Option<PathBuf> {
    // The programs that check the documents run on Linux only, and the documents are the same on both systems.
    if cfg!(windows) {
        return None;
    }
    let found = std::env::var_os(variable).map(PathBuf::from);
    if found.is_none() {
        println!("SKIPPED a part: {variable} is not set; tests/run sets it");
    }
    found
}
