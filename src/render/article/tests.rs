use crate::{
    render::{Paint, html},
    spec::{self, Settings, library},
};

use super::*;

fn spec(yaml: &str) -> Spec {
    let loaded = spec::load("test.yaml", yaml.as_bytes(), &Settings::for_validation());
    loaded.spec.unwrap_or_else(|| panic!("{:#?}", loaded.diagnostics))
}

fn kb909094() -> Article {
    let text = String::from_utf8(library::find("KB909094").unwrap().to_vec()).unwrap();
    article(&spec(&text))
}

fn headings(article: &Article) -> Vec<&str> {
    article.sections.iter().map(|s| s.heading).collect()
}

#[test]
fn the_first_spec_reads_like_its_article() {
    let article = kb909094();
    assert_eq!(
        headings(&article),
        [
            "About",
            "Why",
            "Symptoms",
            "Where it applies",
            "The cause",
            "Prerequisites",
            "Hotfix",
            "Parameters",
            "Changes in the registry",
            "Restart",
            "How to apply and undo",
            "Notes",
            "Sources",
        ]
    );
    let text = human(&article, Paint { colour: false });
    for part in [
        r"[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\MSExchangeWEB\DAV]",
        "\"DisableRealmHint\"=dword:00000001",
        "; the value of the parameter realm_hint",
        "allowed: 0 (off), 1 (on)",
        r"{exchange}\bin\exprox.dll: version 6.5.7651.19 or later, built for x86",
        "Event 1000 of EXPROX",
        "- Inference: ",
        "kbfix rollback --last",
        "http://support.microsoft.com/kb/909094",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 110), "{text}");
}

/// A spec with many things that `.reg` notation cannot express.
const EVERYTHING: &str = r#"
kbfix: 1
id: T
title: "<script>alert('1')</script> & more"
article: { url: "https://example.org/?a=1&b=\"><b>" }
parameters:
  hosts: { description: "Names.", type: list }
prerequisites:
  - title: One of two
    any:
      - os: { at_least: "6.1", below: "6.2", product: [server] }
      - not: { registry: { key: HKCU\Software\X } }
registry:
  - key: HKLM\SYSTEM\CurrentControlSet\Services\*\X
    values:
      a: { type: [REG_DWORD, REG_SZ], data: "1", if_absent: "0" }
      b: { type: REG_DWORD, bits: { set: 0x10, clear: 1 } }
      c: { type: REG_MULTI_SZ, list: { add: { parameter: hosts } } }
      d: { ensure: absent }
      e: { type: REG_SZ, data: "x, y", compare: comma_set }
      f: { type: REG_DWORD, data: 3, keep: { at_least: 3 } }
      g: { type: [REG_SZ, REG_EXPAND_SZ], data: "1", keep: { one_of: ["1", "2"] } }
      h: { type: REG_SZ, data: "1", keep: any }
      i: { id: I-1, severity: high, controls: { stig: V-1 }, type: REG_DWORD, data: 1, keep: { not: [0] } }
      j: { type: REG_SZ, data: "a,b", keep: { subset: [a, b], separator: "," } }
      k: { type: REG_SZ, data: a, keep: { matches: '^a' }, when: { registry: { key: HKLM\SOFTWARE\X, name: v, type: REG_BINARY, equals: "0100" } } }
      l: { ensure: absent, when: { all: [ { registry: { key: HKLM\SOFTWARE\X, name: v, version: { at_least: "16.0", below: "16.1" } } }, { registry: { key: HKLM\SOFTWARE\X, name: v, type: REG_SZ, starts_with: a } } ] } }
  - key: HKCU\Software\Z
    trigger: { done_when: { registry: { key: .\D } } }
    when: { registry: { key: HKCU\Software\O } }
    values:
      p: { type: [REG_EXPAND_SZ, REG_SZ], list: { add: [p], remove: [q], separator: ";" } }
      o: { type: REG_SZ, replace: { pattern: old|new, with: new } }
  - key: HKLM\SOFTWARE\X
    view: both
    when: { file: { path: 'C:\a.dll', exists: false } }
    values: { m: { type: REG_MULTI_SZ, data: [p, q] } }
  - key: HKCU\Software\Y
    ensure: absent
"#;

#[test]
fn what_notation_cannot_say_stands_in_comments() {
    let text = registry::rules(&spec(EVERYTHING));
    insta::assert_snapshot!(text);
}

#[test]
fn data_that_notation_shows_as_digits_is_also_shown_as_text() {
    let yaml = r#"
kbfix: 1
id: T
title: T
registry:
  - key: HKLM\SOFTWARE\A
    values:
      a: { type: REG_EXPAND_SZ, data: '%SystemRoot%\relay.log' }
      b: { type: [REG_SZ, REG_EXPAND_SZ], data: x, if_absent: y }
      c: { type: REG_EXPAND_SZ, data: '%A%', keep: any }
      d: { type: REG_EXPAND_SZ, data: 'p, q', compare: comma_set }
      e: { type: REG_QWORD, data: 5 }
"#;
    let text = registry::rules(&spec(yaml));
    for part in [
        "; REG_EXPAND_SZ \"%SystemRoot%\\\\relay.log\"\n\"a\"=hex(2):25,",
        "; also accepted: \"b\"=hex(2):78,00,00,00 (REG_EXPAND_SZ \"x\")\n\"b\"=\"x\"\n; an absent value means \"y\"\n",
        "; REG_EXPAND_SZ \"%A%\"\n\"c\"=hex(2):",
        "; REG_EXPAND_SZ \"p, q\"\n\"d\"=hex(2):",
        "; REG_QWORD 0x5\n\"e\"=hex(b):",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

#[test]
fn a_note_of_several_lines_is_as_many_comments() {
    let yaml = "kbfix: 1\nid: T\ntitle: T\nregistry:\n  - key: HKLM\\SOFTWARE\\A\n    note: |\n      One.\n\n      Two.\n    values:\n      \
                a: { type: REG_DWORD, data: 1, note: \"x\\ny\\e[2J\" }\n";
    let wanted = "; One.\n;\n; Two.\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\A]\n; x\n; y\\u{1b}[2J\n\"a\"=dword:00000001\n";
    assert_eq!(registry::rules(&spec(yaml)), wanted);
}

#[test]
fn only_what_the_operator_gave_is_called_set() {
    let yaml = "kbfix: 1\nid: T\ntitle: T\nparameters:\n  p: { description: d, type: number, default: \"0x0A00\" }\nregistry:\n  - key: \
                HKLM\\SOFTWARE\\A\n    values: { a: { type: REG_DWORD, data: { parameter: p } } }\n";
    let shown = |settings: &Settings| {
        let spec = spec::load("test.yaml", yaml.as_bytes(), settings).spec.unwrap();
        human(&article(&spec), Paint { colour: false })
    };
    assert!(shown(&Settings::new()).contains("- p: d; default: 0x0A00\n"));
    let set: Settings = [("p", "0xff")].into_iter().collect();
    assert!(shown(&set).contains("- p: d; default: 0x0A00; set to 255\n"));
}

#[test]
fn a_page_has_no_markup_but_its_own() {
    let spec = spec(EVERYTHING);
    let page = html::articles(&[article(&spec)]);
    assert!(!page.contains("<script"), "{page}");
    assert!(page.contains("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp; more"));
    assert!(page.contains("href=\"https://example.org/?a=1&amp;b=&quot;&gt;&lt;b&gt;\""));
    for tag in ["ul", "li", "pre", "p", "h2", "b", "a"] {
        let open = page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
        assert_eq!(open, page.matches(&format!("</{tag}>")).count(), "{tag}\n{page}");
    }
    let markdown = markdown(&article(&spec));
    assert!(markdown.contains(r"\<script\>"), "{markdown}");
}

#[test]
fn the_document_has_the_article_and_the_spec() {
    let value: serde_json::Value = serde_json::from_str(&json(&[spec(EVERYTHING)], Vec::new())).unwrap();
    assert_eq!(value["kbfix_articles"], 1);
    assert_eq!(value["articles"][0]["spec"]["id"], "T");
    assert_eq!(value["articles"][0]["sections"][0]["heading"], "About");
}
