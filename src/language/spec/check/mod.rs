//! Checks whether a spec makes sense: turns a document that matches the JSON schema into a [`Spec`], or reports its
//! errors.
//!
//! A part of the document is checked even if another part has errors, so that one run reports as many errors as
//! possible. If a function that checks a part returns `None`, the error has already been reported.

pub(in crate::spec) mod between_specs;
mod bits;
mod conditions;
mod data;
mod display_names;
mod files;
mod keep;
mod keys;
mod labels;
mod names;
mod numbers;
mod parameters;
pub(in crate::spec) mod reach;
mod rules;
mod scale;
mod services;
mod parameter;
mod parameter_types;
mod values;
mod variables;
mod varying;
mod versions;

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    diag::{Code, Diagnostic, Hint, text::suggest},
    registry::{ValueType, notation::HIDDEN},
};

use super::{
    Settings,
    document::{self, ComputerRestart, Document},
    model::{self, Origin, Spec},
    shape::repair::Repaired,
    source::{
        findings::{Findings, Part, with_hint},
        path::Path,
        sensitive,
    },
};

pub(in crate::spec) use keys::is_within as key_is_within;

/// The result of reading and checking one spec file.
pub(in crate::spec) struct Checked {
    /// The spec; `None` if a finding is an error.
    pub spec: Option<Box<Spec>>,
    /// The errors and warnings about the file.
    pub diagnostics: Vec<Diagnostic>,
    /// The keys of the rules in `spec.rules`, in the same order, for comparing the rules with those of other specs.
    pub rule_keys: Vec<rules::RuleKey>,
    /// The ids of the rules and values of the spec; empty if there is no `spec`.
    pub ids: Vec<labels::OwnId>,
    /// The names of the parameters that the document declares, even if the document has errors.
    pub declared: BTreeSet<String>,
    /// Whether the file could be read. If not, `declared` is empty, although the file may declare parameters.
    pub read: bool,
}

impl Checked {
    /// Returns the result for a file that could not be read.
    pub(in crate::spec) fn failed(diagnostics: Vec<Diagnostic>) -> Self {
        Self { spec: None, diagnostics, rule_keys: Vec::new(), ids: Vec::new(), declared: BTreeSet::new(), read: false }
    }
}

/// The data that the checks of one spec share.
struct Context<'t> {
    findings: Findings<'t>,
    parameters: BTreeMap<String, parameter::Resolved>,
    locations: BTreeSet<String>,
    /// The names of the parameters and locations for which an error was already reported: in their declaration, or in
    /// what the operator set. Where the spec uses them, they are not reported as unknown.
    tainted: BTreeSet<String>,
    used_parameters: BTreeSet<String>,
    /// The names of the parameters whose data is sensitive.
    sensitive: BTreeSet<String>,
    used_locations: BTreeSet<String>,
    /// The names of the unset parameters in the key or data that is being checked.
    met_unset: BTreeSet<String>,
    /// For a parameter and a registry type, the index in [`parameter::Resolved::others`] of the first data that is not
    /// valid for the type; `None` if all data is valid.
    unfit: BTreeMap<(String, ValueType), Option<usize>>,
    /// The number of states that may still be listed for rules that depend on a parameter without data.
    left_states: usize,
    /// The key of the rule that is being checked. The outer `None` means that no rule is being checked; the inner
    /// `None` means that the key has an error.
    own_key: Option<Option<model::KeyPattern>>,
    /// The spec's condition `applicable`; `None` if there is none, or if it is too large for comparisons with other
    /// conditions.
    applicable: Option<model::Condition>,
}

impl Context<'_> {
    fn error(&mut self, code: Code, path: &Path, message: impl Into<String>, hint: impl Into<Hint>) {
        self.findings.data(code, path, message, Some(hint));
    }

    /// Reports an error about `part` of the text at `path`.
    fn error_within(&mut self, code: Code, path: &Path, part: &str, message: impl Into<String>, hint: impl Into<Hint>) {
        self.findings.within(code, path, part, message.into(), Some(hint));
    }

    /// Reports that the operator set the parameter `name` to data that is not valid at `path`, where the spec uses the
    /// parameter. `message` says why. If the parameter is sensitive, only a fixed message and hint are shown.
    fn setting_error(&mut self, name: &str, data: &str, path: &Path, message: impl std::fmt::Display, hint: Hint) {
        if self.sensitive.contains(name) {
            let message = format!("the data of the sensitive parameter `{name}` is not valid here");
            let hint = parameters::HIDDEN_HINT;
            self.findings.data(Code::SETTING_NOT_ALLOWED, path, message, Some(hint));
            return;
        }
        let message = format!("the parameter `{name}` is set to `{data}`: {message}");
        self.findings.data(Code::SETTING_NOT_ALLOWED, path, message, Some(hint));
    }

    fn error_at_name(&mut self, code: Code, path: &Path, message: impl Into<String>, hint: impl Into<Hint>) {
        self.findings.name(code, path, message, Some(hint));
    }

    fn warning(&mut self, code: Code, path: &Path, part: Part, message: impl Into<String>, hint: impl Into<Hint>) {
        self.findings.add(Diagnostic::warning(code, message).hint(hint), path, part);
    }

    /// Reports a warning about `text` within the name or data at `path`.
    fn warning_within(
        &mut self,
        code: Code,
        path: &Path,
        part: Part,
        text: &str,
        message: impl Into<String>,
        hint: impl Into<Hint>,
    ) {
        self.findings.add_within(Diagnostic::warning(code, message).hint(hint), path, part, text);
    }

    /// Returns the parameter `name`, which the spec uses at `path`. Returns `None` if the spec does not declare the
    /// parameter, which is then reported, or if the declaration has an error, which is already reported.
    fn parameter(&mut self, name: &str, path: &Path) -> Option<parameter::Resolved> {
        self.used_parameters.insert(name.to_owned());
        if let Some(found) = self.parameters.get(name) {
            if found.unset.is_some() {
                self.met_unset.insert(name.to_owned());
            }
            return Some(found.clone());
        }
        if !self.tainted.contains(name) && !self.findings.only_counts() {
            let meant = suggest(name, self.parameters.keys().map(String::as_str)).map(str::to_owned);
            let hint = if self.locations.contains(name) {
                format!("`{name}` is a location; only the path of a file can begin with a location")
            } else {
                declare(meant.as_deref(), "parameters", name)
            };
            self.used_parameters.extend(meant);
            self.error_within(Code::UNKNOWN_PARAMETER, path, name, format!("there is no parameter `{name}`"), hint);
        }
        None
    }
}

fn declare(meant: Option<&str>, field: &str, name: &str) -> String {
    match meant {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("declare `{name}` under `{field}`"),
    }
}

/// Checks a document that matches the schema, with the operator's settings. Returns the spec, and `findings` together
/// with the findings of these checks.
pub(in crate::spec) fn check(
    repaired: Repaired,
    origin: Origin,
    settings: &Settings,
    findings: Findings<'_>,
) -> Checked {
    let Repaired { document, tainted, replaced } = repaired;
    // Replaced parts of the document do not say that they are sensitive.
    let sensitive = if replaced { sensitive::parameters(findings.places()) } else { BTreeSet::new() };
    let mut cx = Context {
        findings,
        parameters: BTreeMap::new(),
        locations: document.locations.keys().cloned().collect(),
        tainted,
        used_parameters: BTreeSet::new(),
        sensitive,
        used_locations: BTreeSet::new(),
        met_unset: BTreeSet::new(),
        unfit: BTreeMap::new(),
        left_states: varying::MOST_STATES,
        own_key: None,
        applicable: None,
    };
    let declared = document.parameters.keys().cloned().collect();
    let top = Path::default();
    article(&mut cx, &document, &top);
    parameters::resolve_all(&mut cx, &document, settings);
    let locations = locations(&mut cx, &document);
    let applicable = document.applicable.as_ref();
    let applicable = applicable.map(|c| conditions::condition(&mut cx, c, &top.field("applicable")));
    cx.applicable = applicable.iter().flatten().find(|condition| reach::is_compared(condition)).cloned();
    let prerequisites = document.prerequisites.iter().enumerate();
    let prerequisites: Vec<_> = prerequisites
        .map(|(at, p)| conditions::prerequisite(&mut cx, p, &top.field("prerequisites").item(at)))
        .collect();
    let cause = document.cause.as_ref().map(|c| conditions::prerequisite(&mut cx, c, &top.field("cause")));
    let hotfix = document.hotfix.as_ref().map(|h| hotfix(&mut cx, h, &document.id, &top.field("hotfix")));
    let (rules, rule_keys) = rules::rules(&mut cx, &document.registry, &top.field("registry"));
    labels::unique(&mut cx, &document);
    services::read_at_start(&mut cx, &document, &rules, &rule_keys, &top.field("registry"));
    if document.hotfix.is_none() && document.registry.is_empty() && !replaced {
        let message = "the spec requires nothing: it has neither `hotfix` nor `registry`";
        cx.error_at_name(Code::NOTHING_DESIRED, &top, message, "add the required keys and values under `registry`");
    }
    if !replaced {
        unused(&mut cx, &document);
    }
    for (at, symptom) in document.symptoms.iter().enumerate() {
        let path = top.field("symptoms").item(at).field("event");
        names::check(&mut cx, &symptom.event.log, &path.field("log"), Part::Data);
        names::check(&mut cx, &symptom.event.source, &path.field("source"), Part::Data);
    }
    let restart = document.restart.as_ref();
    if let Some(restart) = restart {
        display_names::services(&mut cx, &restart.services, &top.field("restart").field("services"));
    }
    let restart = model::Restart {
        computer: restart.map_or(ComputerRestart::Unknown, |r| r.computer),
        services: restart.map(|r| r.services.clone()).unwrap_or_default(),
        note: restart.and_then(|r| r.note.clone()),
    };
    let known = cx.parameters.iter().filter(|(_, p)| p.unset.is_none());
    let shown = |p: &parameter::Resolved| if p.is_sensitive { HIDDEN.to_owned() } else { p.text() };
    let parameters = known.map(|(name, p)| (name.clone(), shown(p))).collect();
    let unset = cx.parameters.iter().filter_map(|(name, p)| Some((name.clone(), p.unset.clone()?))).collect();
    let set = document.parameters.keys().filter(|name| settings.get(name).is_some()).cloned().collect();
    let sensitive = std::mem::take(&mut cx.sensitive);
    let read = true;
    let failed = cx.findings.has_errors();
    let diagnostics = cx.findings.finish();
    let assemble = || {
        Some(Box::new(Spec {
            id: document.id.clone(),
            title: document.title.clone(),
            origin,
            parameters,
            set,
            unset,
            sensitive,
            locations: locations?,
            applicable: match applicable {
                Some(condition) => Some(condition?),
                None => None,
            },
            cause: match cause {
                Some(cause) => Some(cause?),
                None => None,
            },
            prerequisites: prerequisites.into_iter().collect::<Option<_>>()?,
            hotfix: match hotfix {
                Some(hotfix) => Some(hotfix?),
                None => None,
            },
            run_triggers: false,
            rules,
            restart,
            document,
        }))
    };
    let spec = if failed { None } else { assemble() };
    let ids = spec.as_ref().map(|spec| labels::ids(&spec.document)).unwrap_or_default();
    Checked { spec, diagnostics, rule_keys, ids, declared, read }
}

fn article(cx: &mut Context<'_>, document: &Document, top: &Path) {
    if let Some(article) = &document.article
        && let Some(day) = &article.reviewed
        && !versions::is_date(day)
    {
        let path = top.field("article").field("reviewed");
        cx.error(
            Code::DATE,
            &path,
            format!("`{day}` is not a date in the calendar"),
            "write a date that exists, in the form year-month-day: 2008-05-13",
        );
    }
}

fn locations(cx: &mut Context<'_>, document: &Document) -> Option<BTreeMap<String, model::ValueAt>> {
    let mut out = Some(BTreeMap::new());
    for (name, location) in &document.locations {
        let path = Path::default().field("locations").field(name);
        let legal = model::is_variable_name(name);
        if !legal {
            parameters::illegal_name(cx, name, "location", &path);
        }
        if document.parameters.contains_key(name) {
            let message = format!("`{name}` is a parameter and a location");
            cx.error_at_name(Code::CONTRADICTION, &path, message, "give the parameter or the location another name");
        }
        let path = path.field("registry");
        let place = &location.registry;
        let at = keys::value_at(cx, &place.key, &place.name, place.view, &path);
        if let Some(at) = &at
            && (at.key.root == crate::registry::RootKey::Hkcu || at.key.has_star())
        {
            let message = format!("`{}` can match several keys, but a location is one folder", at.key);
            cx.error(
                Code::LOCATION_NOT_SINGLE,
                &path.field("key"),
                message,
                "give exactly one key, such as a key below HKLM",
            );
        }
        match (&mut out, at) {
            (Some(map), Some(at)) if legal => drop(map.insert(name.clone(), at)),
            _ => out = None,
        }
    }
    out
}

fn hotfix(cx: &mut Context<'_>, hotfix: &document::Hotfix, id: &str, path: &Path) -> Option<model::Hotfix> {
    let files = hotfix.files.iter().enumerate();
    let files: Vec<_> = files.map(|(at, f)| files::hotfix_file(cx, f, &path.field("files").item(at))).collect();
    let package = hotfix.package.as_ref().map(|package| files::package(cx, package, &path.field("package")));
    Some(model::Hotfix {
        title: hotfix.title.clone().unwrap_or_else(|| id.to_owned()),
        files: files.into_iter().collect::<Option<_>>()?,
        package: match package {
            Some(package) => Some(package?),
            None => None,
        },
        install: false,
    })
}

fn unused(cx: &mut Context<'_>, document: &Document) {
    for name in
        document.parameters.keys().filter(|name| !cx.used_parameters.contains(*name)).cloned().collect::<Vec<_>>()
    {
        let path = Path::default().field("parameters").field(&name);
        let hint = format!("use it as `{{ parameter: {name} }}`, or remove it");
        cx.warning(Code::UNUSED_PARAMETER, &path, Part::Name, format!("nothing uses the parameter `{name}`"), hint);
    }
    for name in document.locations.keys().filter(|name| !cx.used_locations.contains(*name)).cloned().collect::<Vec<_>>()
    {
        let path = Path::default().field("locations").field(&name);
        let hint = format!("use it as `{{{name}}}` in the path of a file, or remove it");
        cx.warning(Code::UNUSED_LOCATION, &path, Part::Name, format!("nothing uses the location `{name}`"), hint);
    }
}

/// Returns the name of the field that is given, if exactly one of `fields` is given. Otherwise reports an error and
/// returns `None`. Each of `fields` is a name, and whether the field is given.
fn exactly_one<'f>(cx: &mut Context<'_>, path: &Path, what: &str, fields: &[(&'f str, bool)]) -> Option<&'f str> {
    let given: Vec<&str> = fields.iter().filter(|(_, given)| *given).map(|(name, _)| *name).collect();
    let names = |list: &[&str]| list.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
    match given.as_slice() {
        [one] => Some(one),
        [] => {
            let all: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
            let message = format!("{what} needs exactly one of {}, but has none of them", names(&all));
            cx.error_at_name(Code::EXACTLY_ONE, path, message, "add one of these fields");
            None
        }
        [first, second, ..] => {
            let message = format!("{what} has both `{first}` and `{second}`");
            let hint = format!("keep one of {}", names(&given));
            let second = second.split(':').next().unwrap_or(second);
            cx.findings.add(
                with_hint(Diagnostic::error(Code::EXACTLY_ONE, message), Some(hint)),
                &path.field(second),
                Part::Name,
            );
            None
        }
    }
}
