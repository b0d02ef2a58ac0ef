//! Formats the symptoms that were found, for people and as JSON.

use std::fmt::Write;

use crate::{
    operation::symptoms::{FoundSymptom, SpecSymptoms, Symptoms},
    registry::notation::one_line,
    spec::document::Expectation,
    targets::Answer,
};

use super::Paint;

/// Formats the symptoms as text.
pub fn human(symptoms: &Symptoms, paint: Paint) -> String {
    let mut out = String::new();
    for spec in &symptoms.specs {
        let _ = writeln!(out, "{}: {}", paint.bold(&one_line(&spec.id)), one_line(&spec.title));
        if let Answer::Present(apply) = &spec.last_apply {
            let _ = writeln!(out, "  last apply    {:.0}, journal {}", apply.time, one_line(&apply.journal));
        }
        if let Some(retired) = &spec.retired {
            let _ = writeln!(out, "  retired       {:.0}, journal {}", retired.time, one_line(&retired.journal));
        }
        section(spec, &mut out);
        if spec.symptoms.is_empty() {
            let _ = writeln!(out, "  symptom       the spec describes no symptom");
        }
        out.push('\n');
    }
    out
}

/// Formats the symptoms as their versioned JSON document.
pub fn json(symptoms: &Symptoms) -> String {
    super::json(symptoms)
}

/// Adds the symptoms of one spec to `out`, as text.
pub(super) fn section(spec: &SpecSymptoms, out: &mut String) {
    for symptom in &spec.symptoms {
        let _ = writeln!(out, "  symptom       {}", one_line(&title(symptom)));
        let _ = writeln!(out, "                {}", one_line(&symptom.sentence));
        if let Some(note) = &symptom.note {
            let _ = writeln!(out, "                {}", one_line(note.trim()));
        }
    }
}

/// Returns a text with the event of a symptom, and the effect of the remedy on it.
pub(super) fn title(symptom: &FoundSymptom) -> String {
    format!("{}; {}", symptom.event, expectation(symptom.expect))
}

/// Returns a text that says how the remedy affects an event.
pub(super) fn expectation(expect: Expectation) -> &'static str {
    match expect {
        Expectation::Gone => "no longer logged after the remedy",
        Expectation::Appears => "logged only after the remedy",
    }
}
