//! Checks the documents: `docs/SUMMARY.md` lists every page, and no link is broken.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Component, Path, PathBuf},
};

/// The documents outside the book.
const OTHERS: &[&str] = &["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the pages below a folder of the repository, by their path in the repository.
pub(crate) fn pages(folder: &str) -> BTreeMap<String, String> {
    texts(folder, ".md")
}

/// Returns the files below a folder whose names have this ending.
fn texts(folder: &str, end: &str) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    for entry in fs::read_dir(root().join(folder)).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{folder}/{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            out.extend(texts(&path, end));
        } else if path.ends_with(end) {
            out.insert(path, fs::read_to_string(entry.path()).unwrap().replace("\r\n", "\n"));
        }
    }
    out
}

/// Returns the lines of a page outside its code blocks.
fn prose(page: &str) -> impl Iterator<Item = &str> {
    let mut is_code = false;
    page.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    })
}

/// Returns the destinations of the links and pictures of a page, without those in inline code.
fn links(page: &str) -> Vec<String> {
    let mut out = Vec::new();
    for line in prose(page) {
        let text: String = line.split('`').step_by(2).collect();
        out.extend(text.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0.to_owned())));
    }
    out
}

/// Returns the anchor of each heading, as GitHub and mdBook generate it.
fn anchors(page: &str) -> BTreeSet<String> {
    let headings = prose(page).filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let anchor = |heading: &str| -> String {
        let kept = heading.to_lowercase();
        kept.chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
            .map(|c| if c == ' ' { '-' } else { c })
            .collect()
    };
    headings
        .map(|heading| {
            let anchor = anchor(heading);
            let before = seen.entry(anchor.clone()).or_default();
            *before += 1;
            if *before == 1 { anchor } else { format!("{anchor}-{}", *before - 1) }
        })
        .collect()
}

/// Returns the file to which a relative link leads, by its path in the repository.
fn destination(from: &str, link: &str) -> String {
    let mut out = PathBuf::from(from).parent().unwrap().to_owned();
    for part in Path::new(link).components() {
        match part {
            Component::ParentDir => assert!(out.pop(), "{from}: {link} leaves the repository"),
            Component::Normal(name) => out.push(name),
            _ => {}
        }
    }
    out.to_str().unwrap().replace('\\', "/")
}

#[test]
fn the_summary_lists_every_page_once() {
    let mut pages: Vec<String> = pages("docs").into_keys().collect();
    pages.retain(|page| page != "docs/SUMMARY.md");
    let summary = fs::read_to_string(root().join("docs/SUMMARY.md")).unwrap();
    let mut listed: Vec<String> = links(&summary).iter().map(|link| destination("docs/SUMMARY.md", link)).collect();
    listed.sort();
    assert_eq!(listed, pages);
}

/// The page of a folder, such as `reference/commands.md` for `reference/commands/`, contains the pages of the folder.
#[test]
fn the_pages_of_a_folder_are_below_its_page_in_the_summary() {
    let summary = fs::read_to_string(root().join("docs/SUMMARY.md")).unwrap();
    let (mut parent, mut below) = (String::new(), 0);
    for line in summary.lines().filter(|line| line.trim_start().starts_with("- [")) {
        let page = links(line).concat();
        let folder = page.rsplit_once('/').unwrap().0;
        if root().join(format!("docs/{folder}.md")).exists() {
            assert!(line.starts_with("  - ") && folder == parent, "{page} belongs below {folder}.md");
            below += 1;
        } else {
            assert!(line.starts_with("- "), "{page} has no page above it");
            parent = page.trim_end_matches(".md").to_owned();
        }
    }
    assert!(below > 40, "{below}");
}

#[test]
fn every_link_leads_somewhere() {
    let mut documents = pages("docs");
    for name in OTHERS {
        documents.insert((*name).to_owned(), fs::read_to_string(root().join(name)).unwrap());
    }
    let mut wrong = Vec::new();
    for (name, page) in &documents {
        for link in links(page).iter().filter(|link| !link.contains("://")) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let to = if file.is_empty() { name.clone() } else { destination(name, file) };
            let why = if !root().join(&to).exists() {
                "is not there"
            } else if name.starts_with("docs/") && !to.starts_with("docs/") {
                "is not in the book: name it without a link"
            } else if to == "docs/README.md" && name.starts_with("docs/") && name != "docs/SUMMARY.md" {
                "is index.html in the book, but mdBook does not change the link"
            } else if !anchor.is_empty() && !documents.get(&to).is_some_and(|page| anchors(page).contains(anchor)) {
                "has no such heading"
            } else {
                continue;
            };
            wrong.push(format!("{name}: {link} {why}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_page_that_is_named_elsewhere_is_there() {
    let mut files: BTreeMap<String, String> = texts("src", ".rs");
    files.extend(texts("schema", ".json"));
    files.extend(texts("ansible/ansible_collections/kbfix/windows/plugins", ".py"));
    files.extend(pages("docs"));
    for name in OTHERS {
        files.insert((*name).to_owned(), fs::read_to_string(root().join(name)).unwrap());
    }
    let mut named = 0;
    for (name, text) in files {
        for rest in text.split("docs/").skip(1) {
            let length = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "-/.".contains(c))).unwrap_or(rest.len());
            let Some((page, _)) = rest[..length].split_once(".md") else { continue };
            named += 1;
            assert!(root().join(format!("docs/{page}.md")).exists(), "{name} names docs/{page}.md, which is not there");
        }
    }
    assert!(named > 10, "{named}");
}

#[test]
fn every_file_that_a_developer_is_sent_to_is_there() {
    let mut named = 0;
    for name in ["ARCHITECTURE.md", "CONTRIBUTING.md"] {
        let page = fs::read_to_string(root().join(name)).unwrap();
        let code = prose(&page).flat_map(|line| line.split('`').skip(1).step_by(2));
        for path in code.filter(|code| ["src/", "tests/", "docs/"].iter().any(|folder| code.starts_with(folder))) {
            // The path is a command, a pattern, or a placeholder.
            if path.contains([' ', '*']) || path.contains("ID") {
                continue;
            }
            named += 1;
            assert!(root().join(path).exists(), "{name} names {path}, which is not there");
        }
    }
    assert!(named > 20, "{named}");
}

#[test]
fn links_and_anchors_are_found() {
    let page = "# A `b`, c\n\n## A b c\n[x](y.md#z) `[no](link)` ![p](q.svg)\n```sh\n# no\n[no](link)\n```\n## A b c\n";
    assert_eq!(links(page), ["y.md#z", "q.svg"]);
    assert_eq!(anchors(page), ["a-b-c", "a-b-c-1", "a-b-c-2"].map(str::to_owned).into());
    assert_eq!(destination("docs/how-to/a.md", "../reference/b.md"), "docs/reference/b.md");
}
