//! Formats diagnostics as text for people, as JSON for programs, and as annotations for GitHub.
//!
//! The functions only return text. The caller decides whether it is printed with colours, and where.

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet, renderer::DecorStyle};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    diag::{Diagnostic, Place, Severity},
    registry::notation::one_line,
};

use super::Paint;

/// The output of `kbfix validate` as a JSON document.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "kbfix findings, version 1")]
pub struct Findings<'d> {
    /// The version of the format of this document: 1.
    #[schemars(extend("const" = 1))]
    pub kbfix_findings: u32,
    /// The findings: first warnings about files that kbfix made into specs, then the findings about each spec file, in
    /// the order of their lines, then those about several specs together and about the parameters that were set. If a
    /// spec cannot be read, only the error that says why.
    pub diagnostics: Vec<&'d Diagnostic>,
}

/// Formats one diagnostic in the style of the Rust compiler: the message, the place, the source line with carets, and
/// the hint. The text does not end with a line break.
pub fn human(diagnostic: &Diagnostic, paint: Paint) -> String {
    let renderer = if paint.colour { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.decor_style(DecorStyle::Ascii);
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = level
        .primary_title(one_line(&diagnostic.message))
        .id(diagnostic.code.as_str())
        .elements(Vec::<Snippet<'_, annotate_snippets::Annotation<'_>>>::new());
    if let Some(place) = &diagnostic.place {
        if place.source.is_empty() && place.column > 1 {
            group = group.element(Level::NOTE.message(format!(
                "in {}:{}:{}",
                one_line(&place.file),
                place.line,
                place.column
            )));
        } else {
            let span = bytes(place);
            group = group.element(
                Snippet::source(place.source.as_str())
                    .line_start(place.line)
                    .path(one_line(&place.file))
                    .annotation(AnnotationKind::Primary.span(span)),
            );
        }
    }
    if let Some(hint) = diagnostic.advice() {
        group = group.element(Level::HELP.message(one_line(&hint)));
    }
    renderer.render(&[group])
}

/// Formats all diagnostics as the JSON document [`Findings`].
pub fn json<'d>(diagnostics: impl IntoIterator<Item = &'d Diagnostic>) -> String {
    crate::render::json(&Findings { kbfix_findings: 1, diagnostics: diagnostics.into_iter().collect() })
}

/// Formats a diagnostic as a workflow command, so that GitHub shows it next to the line of the file. The text does not
/// end with a line break.
///
/// Source: GitHub, "Workflow commands for GitHub Actions": `%`, CR and LF are escaped in data, `:` and `,` also in
/// properties.
pub fn github(diagnostic: &Diagnostic) -> String {
    let command = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    // People also read the log of a workflow in a terminal. So a file whose name has control characters gets no
    // annotation.
    let mut message = one_line(&diagnostic.message);
    if let Some(hint) = diagnostic.advice() {
        message.push_str("\nhelp: ");
        message.push_str(&one_line(&hint));
    }
    let mut properties = Vec::new();
    if let Some(place) = &diagnostic.place {
        properties.push(format!("file={}", property(&one_line(&place.file))));
        properties.push(format!("line={}", place.line));
        properties.push(format!("col={}", place.column));
        properties.push(format!("endColumn={}", place.column + place.length));
    }
    properties.push(format!("title={}", property(diagnostic.code.as_str())));
    format!("::{command} {}::{}", properties.join(","), data(&message))
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Returns the part of the source line at a place, as a range of bytes. The place itself counts in characters.
fn bytes(place: &Place) -> std::ops::Range<usize> {
    let at = |column: usize| place.source.char_indices().nth(column - 1).map_or(place.source.len(), |(byte, _)| byte);
    at(place.column.max(1))..at(place.column.max(1) + place.length)
}
