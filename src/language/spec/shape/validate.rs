//! Checks a document against its JSON schema. Compiles the schema of specs only if `accept` cannot accept a spec, or if
//! a hint needs the schema.

use std::sync::OnceLock;

use jsonschema::Validator;
use serde_json::Value;

use super::{
    accept,
    explain::{Explainer, Verdict},
};
use crate::{
    diag::{Code, Hint},
    spec::{
        schema::schema,
        source::{findings::Findings, path::Path},
    },
};

struct Compiled {
    schema: Value,
    validator: Option<Validator>,
}

fn compiled() -> &'static Compiled {
    static COMPILED: OnceLock<Compiled> = OnceLock::new();
    COMPILED.get_or_init(|| {
        let schema = schema();
        let validator = jsonschema::draft202012::new(&schema).ok();
        Compiled { schema, validator }
    })
}

/// Returns the JSON schema of specs.
pub(in crate::spec) fn spec_schema() -> &'static Value {
    &compiled().schema
}

/// Checks `value`, the data of a spec, against the JSON schema of specs. Adds the findings, and returns the wrong
/// parts.
pub(in crate::spec) fn check(value: &Value, findings: &mut Findings<'_>) -> Verdict {
    if accept::accepts(value) {
        return Verdict::default();
    }
    let Compiled { schema, validator } = compiled();
    let mut verdict = Verdict::default();
    let Some(validator) = validator else {
        let message = "the schema of specs does not compile; this is a bug in kbfix: please report it";
        findings.data(Code::INTERNAL, &Path::default(), message, None::<Hint>);
        verdict.wrong.push(Path::default());
        return verdict;
    };
    if validator.is_valid(value) {
        return verdict;
    }
    let mut explainer = Explainer { schema, document: value, findings, verdict };
    for error in validator.iter_errors(value) {
        explainer.explain(&error);
    }
    explainer.verdict
}

/// Checks `value`, the data of another document than a spec, against `schema`. Adds the findings.
pub(in crate::spec) fn check_against(schema: &Value, value: &Value, findings: &mut Findings<'_>) {
    let Ok(validator) = jsonschema::draft202012::new(schema) else {
        let message = "the schema of the document does not compile; this is a bug in kbfix: please report it";
        findings.data(Code::INTERNAL, &Path::default(), message, None::<Hint>);
        return;
    };
    let mut explainer = Explainer { schema, document: value, findings, verdict: Verdict::default() };
    for error in validator.iter_errors(value) {
        explainer.explain(&error);
    }
}
