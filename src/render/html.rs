//! Formats articles and reports as HTML. Each page is one file that contains no scripts and loads no other files. All
//! text in the page is escaped.

use std::fmt::Write;

use crate::{
    operation::report::Report,
    plan::{Part, PendingRestart, SpecPlan, Truth},
    registry::notation::one_line,
};

use super::{
    article::{Article, Block, Item},
    diff::{self, Line},
    symptoms, wording,
};

const STYLE: &str = "\
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}\
h1{font-size:1.5rem}h2{font-size:1.15rem;border-bottom:1px solid #ccc;margin-top:2rem}\
pre{background:#f5f5f5;padding:.7rem;overflow-x:auto}code,pre,.place{font-family:ui-monospace,Consolas,monospace;font-size:.9rem}\
table{border-collapse:collapse}td,th{border:1px solid #ccc;padding:.25rem .6rem;text-align:left;vertical-align:top}\
.place{overflow-wrap:anywhere}.add{color:#116329}.del{color:#a40e26}.head{color:#0550ae}\
.met{color:#116329}.unmet,.unknown{color:#a40e26;font-weight:bold}.inference{font-style:italic}\
@media(prefers-color-scheme:dark){body{color:#e6e6e6;background:#161616}pre{background:#222}\
.add,.met{color:#7ee787}.del,.unmet,.unknown{color:#ff9492}.head,a{color:#79c0ff}}";

/// Formats articles as an HTML page.
pub fn articles(articles: &[Article]) -> String {
    let title = articles.iter().map(|a| a.id.as_str()).collect::<Vec<_>>().join(", ");
    let mut out = head(&title);
    for article in articles {
        let _ = writeln!(out, "<h1>{}: {}</h1>", escaped(&article.id), escaped(&article.title));
        for section in &article.sections {
            let _ = writeln!(out, "<h2>{}</h2>", escaped(section.heading));
            for block in &section.blocks {
                match block {
                    Block::Text(text) => drop(writeln!(out, "<p>{}</p>", escaped(text))),
                    Block::Code(text) => drop(writeln!(out, "<pre>{}</pre>", escaped_lines(text))),
                    Block::List(items) => list(items, &mut out),
                }
            }
        }
    }
    out.push_str(TAIL);
    out
}

fn list(items: &[Item], out: &mut String) {
    let mut open = 0;
    for item in items {
        // A nested list is inside the item above it, so that item stays open until the nested list ends.
        while open > item.depth + 1 {
            out.push_str("</li></ul>\n");
            open -= 1;
        }
        if open == item.depth + 1 {
            out.push_str("</li>\n");
        }
        while open < item.depth + 1 {
            out.push_str("<ul>\n");
            open += 1;
        }
        let class = if item.inference { " class=\"inference\"" } else { "" };
        let _ = write!(out, "<li{class}>");
        match (item.name.is_empty(), item.text.is_empty()) {
            (true, _) => out.push_str(&escaped(&item.text)),
            (false, true) => drop(write!(out, "<b>{}</b>", escaped(&item.name))),
            (false, false) => drop(write!(out, "<b>{}</b>: {}", escaped(&item.name), escaped(&item.text))),
        }
        if let Some(url) = &item.url {
            let url_text = escaped(url);
            // The schema of specs allows only `http:` and `https:` addresses, but this code does not rely on that.
            if url.starts_with("http://") || url.starts_with("https://") {
                let _ = write!(out, " <a href=\"{url_text}\" rel=\"noreferrer\">{url_text}</a>");
            } else {
                let _ = write!(out, " {url_text}");
            }
        }
    }
    out.push_str(&"</li></ul>\n".repeat(open));
}

/// Formats a report as an HTML page.
pub fn report(report: &Report) -> String {
    let machine = report.machine.computer_name.as_deref().or(report.target.as_deref()).unwrap_or("the target");
    let mut out = head(&format!("kbfix on {machine}"));
    let _ = writeln!(out, "<h1>kbfix on {}</h1>", escaped(machine));
    out.push_str("<table><tr><th>spec</th><th>outcome</th><th>changes</th></tr>\n");
    for spec in &report.specs {
        let count = wording::changes_in(report, spec);
        let outcome = spec.outcome.as_str().replace('_', " ");
        let _ = writeln!(out, "<tr><td>{}</td><td>{outcome}</td><td>{count}</td></tr>", escaped(&spec.id));
    }
    out.push_str("</table>\n");
    for spec in &report.specs {
        section(spec, report, &mut out);
        if let Some(sentence) = wording::local_gpo(spec, report) {
            let _ = writeln!(out, "<p>Local GPO: {}</p>", escaped(&sentence));
        }
        for symptom in report.symptoms.iter().filter(|found| found.id == spec.id).flat_map(|found| &found.symptoms) {
            let (title, sentence) = (symptoms::title(symptom), &symptom.sentence);
            let _ = writeln!(out, "<p>Symptom: {}: {}</p>", escaped(&title), escaped(sentence));
        }
    }
    for conflict in &report.conflicts {
        let [place, left, found] = [&conflict.place, &conflict.left, &conflict.found].map(|text| escaped(text));
        let _ = writeln!(out, "<p>conflict: {place}: after the apply {left}, now {found}; kept</p>");
    }
    for moved in &report.moved {
        let [place, was, is] = [&moved.place, &moved.was, &moved.is].map(|text| escaped(text));
        let _ = writeln!(out, "<p>changed: {place}: was {was}, is {is}</p>");
    }
    if let Some(waits) = report.pending_restart.as_ref().and_then(PendingRestart::sentence) {
        let _ = writeln!(out, "<p>{}</p>", escaped(&waits));
    }
    for diagnostic in &report.diagnostics {
        let (code, message) = (diagnostic.code.as_str(), escaped(&diagnostic.message));
        let hint = diagnostic.advice().map(|hint| format!(" ({})", escaped(&hint))).unwrap_or_default();
        let _ = writeln!(out, "<p><b>{code}</b>: {message}{hint}</p>");
    }
    for step in &report.steps {
        let _ = writeln!(out, "<p>{}</p>", escaped(&step.to_string()));
    }
    if let Some(digest) = &report.digest {
        let _ = writeln!(out, "<p>Plan <code>{}</code></p>", escaped(digest));
    }
    if let Some(journal) = &report.journal {
        let _ = writeln!(out, "<p>Journal <code>{}</code></p>", escaped(journal));
    }
    out.push_str(TAIL);
    out
}

fn section(spec: &SpecPlan, report: &Report, out: &mut String) {
    let _ = writeln!(out, "<h2>{}: {}</h2>", escaped(&spec.id), escaped(&spec.title));
    if !spec.checks.is_empty() {
        out.push_str("<table><tr><th>test</th><th>place</th><th>found</th><th>wanted</th><th></th></tr>\n");
    }
    for check in &spec.checks {
        let title = match check.part {
            Part::Applicable => "applicable".to_owned(),
            Part::Prerequisite | Part::Deletion => check.title.clone(),
            Part::Cause => format!("cause {}", check.title),
            Part::Hotfix => format!("hotfix {}", check.title),
            Part::Trigger => "trigger".to_owned(),
        };
        for e in &check.evidence {
            let class = match check.result {
                Truth::Met => "met",
                Truth::Unmet => "unmet",
                Truth::Unknown => "unknown",
            };
            let result = wording::result(check, e);
            let [title, place, found, wanted] =
                [&title, &e.place, &e.found_or_planned(), &e.wanted].map(|text| escaped(text));
            let _ = writeln!(
                out,
                "<tr><td>{title}</td><td class=\"place\">{place}</td><td>{found}</td><td>{wanted}</td>\
                 <td class=\"{class}\">{result}</td></tr>"
            );
        }
    }
    if !spec.checks.is_empty() {
        out.push_str("</table>\n");
    }
    for (name, data) in &spec.parameters {
        let _ = writeln!(out, "<p>parameter {} = {}</p>", escaped(name), escaped(data));
    }
    for reason in &spec.reasons {
        let _ = writeln!(out, "<p>{}</p>", escaped(reason));
    }
    if let Some(unknown) = wording::pending_unknown(spec) {
        let _ = writeln!(out, "<p>{}</p>", escaped(&unknown));
    }
    if let Some(rules) = spec.rules {
        let _ = writeln!(out, "<p>{}</p>", wording::rules(rules));
    }
    for rule in wording::unmet_rules(spec) {
        let _ = writeln!(out, "<p>Rule {}</p>", escaped(&rule));
    }
    if let Some(install) = &spec.install {
        let _ = writeln!(out, "<p>Install {}</p>", escaped(&wording::install(install)));
    }
    if let Some(caution) = wording::caution(spec, report).filter(|_| !spec.changes.is_empty()) {
        let _ = writeln!(out, "<p><b>{caution}</b></p>");
    }
    if !spec.changes.is_empty() {
        changes(spec, out);
    }
    for (place, sentence) in wording::policies(spec) {
        let _ =
            writeln!(out, "<p>Policy: <span class=\"place\">{}</span>: {}</p>", escaped(&place), escaped(&sentence));
    }
    for step in &spec.manual_steps {
        let _ = writeln!(out, "<p>By hand, {}</p>", escaped(&step.to_string()));
    }
    if wording::asks_for_restart(spec) {
        let (restart, note) = wording::restart(spec);
        let note = note.map(|note| format!(". {}", escaped(note))).unwrap_or_default();
        let _ = writeln!(out, "<p>Restart: {}{note}</p>", escaped(&restart));
    }
}

fn changes(spec: &SpecPlan, out: &mut String) {
    out.push_str("<pre>");
    for line in spec.changes.iter().flat_map(diff::hunk) {
        let class = match line {
            Line::Head(_) => "head",
            Line::Removed(_) => "del",
            Line::Added(_) => "add",
            Line::Same(_) => "same",
        };
        let _ = writeln!(out, "<span class=\"{class}\">{}</span>", escaped(&line.to_string()));
    }
    out.push_str("</pre>\n");
}

fn head(title: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n",
        escaped(title)
    )
}

const TAIL: &str = "</body>\n</html>\n";

/// Escapes text for HTML as one line. A line break becomes a space, so that the text cannot look like a line of the
/// diff in the source of the page. Browsers show line breaks as spaces anyway.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in one_line(&text.replace('\n', " ")).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// Escapes text for HTML and keeps its line breaks.
fn escaped_lines(text: &str) -> String {
    text.split('\n').map(escaped).collect::<Vec<_>>().join("\n")
}
