//! Formats a report as Markdown, for a change ticket or a pull request.

use std::fmt::Write;

use crate::{
    operation::report::Report,
    plan::{Part, PendingRestart, SpecPlan, Truth},
    registry::notation::one_line,
};

use super::{diff, symptoms, wording};

/// Formats the report as GitHub-flavoured Markdown.
pub fn markdown(report: &Report) -> String {
    let mut out = String::new();
    let target = report.machine.computer_name.as_deref().or(report.target.as_deref()).unwrap_or("the target");
    let _ = writeln!(out, "## kbfix on {}\n", escaped(target));
    let _ = writeln!(out, "| spec | outcome | changes |\n|---|---|---|");
    for spec in &report.specs {
        let count = wording::changes_in(report, spec);
        let _ = writeln!(out, "| {} | {} | {count} |", escaped(&spec.id), spec.outcome.as_str().replace('_', " "));
    }
    for spec in &report.specs {
        section(spec, report, &mut out);
        if let Some(sentence) = wording::local_gpo(spec, report) {
            let _ = writeln!(out, "\nLocal GPO: {}", escaped(&sentence));
        }
        for symptom in report.symptoms.iter().filter(|found| found.id == spec.id).flat_map(|found| &found.symptoms) {
            let (title, sentence) = (symptoms::title(symptom), &symptom.sentence);
            let _ = writeln!(out, "\nSymptom: {}: {}", escaped(&title), escaped(sentence));
        }
    }
    for conflict in &report.conflicts {
        let [place, left, found] = [&conflict.place, &conflict.left, &conflict.found].map(|text| escaped(text));
        let _ = writeln!(out, "- conflict: {place}: after the apply {left}, now {found}; kept");
    }
    for moved in &report.moved {
        let _ = writeln!(
            out,
            "- changed: {}: was {}, is {}",
            escaped(&moved.place),
            escaped(&moved.was),
            escaped(&moved.is)
        );
    }
    for step in &report.steps {
        let _ = writeln!(out, "- {}", escaped(&step.to_string()));
    }
    if let Some(waits) = report.pending_restart.as_ref().and_then(PendingRestart::sentence) {
        let _ = writeln!(out, "- {}", escaped(&waits));
    }
    for diagnostic in &report.diagnostics {
        let (code, message) = (diagnostic.code.as_str(), escaped(&diagnostic.message));
        let hint = diagnostic.advice().map(|hint| format!(" ({})", escaped(&hint))).unwrap_or_default();
        let _ = writeln!(out, "- **{code}**: {message}{hint}");
    }
    if let Some(digest) = &report.digest {
        let _ = writeln!(out, "\nPlan {}", code(digest));
    }
    if let Some(journal) = &report.journal {
        let _ = writeln!(out, "\nJournal {}", code(journal));
    }
    out
}

fn section(spec: &SpecPlan, report: &Report, out: &mut String) {
    let _ = writeln!(out, "\n### {}: {}\n", escaped(&spec.id), escaped(&spec.title));
    if !spec.checks.is_empty() {
        let _ = writeln!(out, "| test | place | found | wanted | |\n|---|---|---|---|---|");
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
            let words = wording::result(check, e);
            let result = if check.result == Truth::Met { words } else { format!("**{words}**") };
            let cells = [&title, &e.place, &e.found_or_planned(), &e.wanted].map(|cell| escaped(cell));
            let _ = writeln!(out, "| {} | {result} |", cells.join(" | "));
        }
    }
    for (name, data) in &spec.parameters {
        let _ = writeln!(out, "\nparameter {} = {}", escaped(name), escaped(data));
    }
    for reason in &spec.reasons {
        let _ = writeln!(out, "\n{}", escaped(reason));
    }
    if let Some(unknown) = wording::pending_unknown(spec) {
        let _ = writeln!(out, "\n{}", escaped(&unknown));
    }
    if let Some(rules) = spec.rules {
        let _ = writeln!(out, "\n{}", wording::rules(rules));
    }
    for rule in wording::unmet_rules(spec) {
        let _ = writeln!(out, "\nRule {}", escaped(&rule));
    }
    if let Some(install) = &spec.install {
        let _ = writeln!(out, "\nInstall {}", escaped(&wording::install(install)));
    }
    if !spec.changes.is_empty() {
        if let Some(caution) = wording::caution(spec, report) {
            let _ = writeln!(out, "\n**{caution}**");
        }
        let _ = writeln!(out, "\n```diff");
        for line in spec.changes.iter().flat_map(diff::hunk) {
            // A code fence inside the data would end the block.
            let _ = writeln!(out, "{}", line.to_string().replace("```", "`\u{200b}``"));
        }
        let _ = writeln!(out, "```");
    }
    for (place, sentence) in wording::policies(spec) {
        let _ = writeln!(out, "\nPolicy: {}: {}", escaped(&place), escaped(&sentence));
    }
    for step in &spec.manual_steps {
        let _ = writeln!(out, "\nBy hand, {}", escaped(&step.to_string()));
    }
    if wording::asks_for_restart(spec) {
        let (restart, note) = wording::restart(spec);
        let note = note.map(|note| format!(". {}", escaped(note))).unwrap_or_default();
        let _ = writeln!(out, "\nRestart: {}{note}", escaped(&restart));
    }
}

/// Escapes text for GitHub-flavoured Markdown. Within a line, the text then contains no formatting and no character
/// entities, and its addresses do not become links.
///
/// A backslash does not prevent GitHub from notifying a user who is mentioned with `@`. So an invisible character is
/// inserted after each `@`.
///
/// Source: GitHub Flavored Markdown Spec, "Backslash escapes", "Autolinks (extension)".
pub(super) fn escaped(text: &str) -> String {
    let text = one_line(text);
    let mut out = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        let address = match c {
            ':' => text[at..].starts_with("://"),
            '.' => text[..at].to_ascii_lowercase().ends_with("www"),
            _ => false,
        };
        if address || matches!(c, '|' | '\\' | '*' | '_' | '`' | '<' | '>' | '[' | ']' | '#' | '&' | '~' | '$') {
            out.push('\\');
        }
        out.push(c);
        if c == '@' {
            out.push('\u{200b}');
        }
    }
    out
}

/// Formats text as inline code, so that it can be copied. Text with a backtick is escaped instead.
fn code(text: &str) -> String {
    if text.contains('`') { escaped(text) } else { format!("`{}`", one_line(text)) }
}

#[cfg(test)]
mod tests {
    use crate::render::markdown::*;

    #[test]
    fn text_has_no_meaning_in_markdown() {
        for (text, wanted) in [
            ("&lt;ok&gt;", r"\&lt;ok\&gt;"),
            ("@octocat a@b.example", "@\u{200b}octocat a@\u{200b}b.example"),
            ("https://x.example HTTP://y", r"https\://x.example HTTP\://y"),
            ("www.x.example", r"www\.x.example"),
            ("~~x~~ $a$ **b** ![c](d) #1", r"\~\~x\~\~ \$a\$ \*\*b\*\* !\[c\](d) \#1"),
            (r"C:\x.dll", r"C:\\x.dll"),
            ("a\nb", r"a\\u{a}b"),
        ] {
            assert_eq!(escaped(text), wanted, "{text}");
        }
        assert_eq!(code("/a b"), "`/a b`");
        assert_eq!(code("a`<b>"), r"a\`\<b\>");
    }
}
