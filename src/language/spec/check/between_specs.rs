//! Checks the specs of one run against each other: unique ids, settings for parameters that no spec has, and specs that
//! require different states of one key or value.

use std::collections::HashMap;

use crate::{
    diag::{
        Code, Diagnostic, Hint, Place,
        text::{first_few, shorten, suggest},
    },
    spec::{
        Settings, Source,
        document::{Document, Exclusive},
        model::{DesiredKey, KeyPattern, KeyRule, NamePattern, Spec, ValueRule, next_variable},
        source::{
            parse,
            path::Path,
            sensitive::{self, Private},
            text::Text,
        },
    },
};

use super::{
    Checked, key_is_within,
    rules::{MOST_PAIRS, RuleKey, denies},
    values::shown_name,
};

/// Checks all specs of a run against each other and against the operator's settings. Returns the findings, such as a
/// conflict between two specs, or a setting for a parameter that no spec declares. Of a file whose spec has errors,
/// only the names of its parameters are used.
pub(in crate::spec) fn check(sources: &[Source<'_>], files: &[Checked], settings: &Settings) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    undeclared(files, settings, &mut out);
    same_ids(sources, files, &mut out);
    if sources.len() > 1 {
        conflicts(sources, files, &mut out);
    }
    out
}

/// Empties large fields of a spec that [`check`] does not read, to save memory: `document`, `prerequisites`, `cause`
/// and `hotfix`.
pub(in crate::spec) fn leave_compared(spec: &mut Spec) {
    spec.document = Document::default();
    spec.prerequisites = Vec::new();
    (spec.cause, spec.hotfix) = (None, None);
}

fn undeclared(files: &[Checked], settings: &Settings, out: &mut Vec<Diagnostic>) {
    // A file that could not be read might declare any parameter.
    if files.iter().any(|f| !f.read) {
        return;
    }
    let declared = || files.iter().flat_map(|f| f.declared.iter().map(String::as_str));
    for name in settings.names().filter(|name| !declared().any(|d| d == *name)) {
        let mut all: Vec<&str> = declared().collect();
        all.sort_unstable();
        all.dedup();
        let hint = match suggest(name, all.iter().copied()) {
            Some(meant) => Hint::new(format!("did you mean `{meant}`?")).option("set", format!("{meant}=…")),
            None if all.is_empty() => {
                Hint::new("none of the specs in this run has a parameter; remove this setting").bare_option("set")
            }
            None => Hint::new(format!("the parameters are {}", first_few(all.iter().map(|n| format!("`{n}`")))))
                .option("set", "NAME=…"),
        };
        let message = format!("no spec of this run has a parameter `{}`", shorten(name));
        out.push(Diagnostic::error(Code::UNKNOWN_SETTING, message).hint(hint));
    }
}

fn same_ids(sources: &[Source<'_>], files: &[Checked], out: &mut Vec<Diagnostic>) {
    let mut named: HashMap<String, usize> = HashMap::new();
    for (at, spec) in files.iter().enumerate().filter_map(|(at, f)| Some((at, f.spec.as_ref()?))) {
        let id = spec.id.to_lowercase();
        if let Some(first) = named.get(&id) {
            let message =
                format!("`{}` is the id of two specs; the other spec is in {}", spec.id, sources[*first].name);
            let diagnostic = Diagnostic::error(Code::DUPLICATE_ID, message).hint("give each spec its own id");
            out.push(placed(diagnostic, &sources[at], &Path::default().field("id")));
        } else {
            named.insert(id, at);
        }
    }
    // The ids within one spec were already compared when the spec was checked.
    let own = |at: usize| files[at].ids.iter().map(move |id| (at, id));
    for (at, own) in (0..files.len()).flat_map(own) {
        let id = &own.id;
        let folded = id.to_lowercase();
        match named.get(&folded) {
            Some(first) if *first != at => {
                let message = format!("`{id}` is also an id in {}", sources[*first].name);
                let hint = "give each rule and value in a run its own id";
                let diagnostic = Diagnostic::error(Code::DUPLICATE_ID, message).hint(hint);
                out.push(placed(diagnostic, &sources[at], &own.path()));
            }
            _ => drop(named.insert(folded, at)),
        }
    }
}

/// A rule of a spec, for comparing it with the rules of other specs.
#[derive(Clone, Copy)]
struct Rule<'a> {
    file: usize,
    number: usize,
    spec: &'a Spec,
    /// The key of each rule of the spec.
    keys: &'a [RuleKey],
    rule: &'a KeyRule,
    /// The rule's key with its canonical name, which is equal for all names of one key. It contains `{name}` in place
    /// of the data of an unset parameter `name`.
    place: &'a KeyPattern,
    /// The canonical name of the key in upper case.
    folded: &'a str,
}

/// Returns whether the two patterns can match one key of the same view. A name that contains an unset parameter can be
/// any name.
fn may_be_one(a: &KeyPattern, b: &KeyPattern) -> bool {
    let is_open =
        |name: &NamePattern| matches!(name, NamePattern::Name(name) if next_variable(name.as_str()).is_some());
    let meet = |(a, b): (&NamePattern, &NamePattern)| is_open(a) || is_open(b) || a.may_meet(b);
    (a.root, a.view, a.names.len()) == (b.root, b.view, b.names.len()) && a.names.iter().zip(&b.names).all(meet)
}

fn conflicts(sources: &[Source<'_>], files: &[Checked], out: &mut Vec<Diagnostic>) {
    let mut by_key: HashMap<&str, Vec<Rule<'_>>> = HashMap::new();
    let mut absent: Vec<Rule<'_>> = Vec::new();
    for (file, checked) in files.iter().enumerate() {
        let Some(spec) = &checked.spec else { continue };
        for (rule, RuleKey { number, key, folded }) in spec.rules.iter().zip(&checked.rule_keys) {
            let entry = Rule { file, number: *number, spec, keys: &checked.rule_keys, rule, place: key, folded };
            if rule.desired.is_absent() {
                absent.push(entry);
            }
            by_key.entry(folded).or_default().push(entry);
        }
    }
    let mut keys: Vec<_> = by_key.into_iter().collect();
    keys.sort_unstable_by_key(|(key, _)| *key);
    for (_, rules) in &keys {
        for (at, second) in rules.iter().enumerate() {
            for first in rules[..at].iter().filter(|first| first.file != second.file) {
                same_key(sources, first, second, out);
            }
        }
    }
    for (_, rules) in &keys {
        // All rules of the list have the same key.
        let is_above = |above: &&Rule<'_>| rules.first().is_some_and(|rule| key_is_within(rule.place, above.place));
        let above: Vec<_> = absent.iter().filter(is_above).collect();
        for rule in rules.iter().filter(|rule| rule.rule.may_need_key()) {
            let conditional = !rule.rule.needs_key();
            for above in above.iter().filter(|above| above.file != rule.file) {
                let what = format!("the key `{}`", above.rule.key);
                let path = Path::default().field("registry").item(rule.number).field("key");
                report(sources, above, rule, &what, conditional, &path, out);
            }
        }
    }
    let all: Vec<&Rule<'_>> = keys.iter().flat_map(|(_, rules)| rules).collect();
    for exclusive in all.iter().filter(|rule| rule.rule.exclusive.is_some()) {
        for other in all.iter().filter(|other| other.file != exclusive.file) {
            beside(sources, exclusive, other, out);
        }
    }
    stars(sources, &all, out);
}

/// Warns about a rule with a `*` in its key that conflicts with a rule of another spec, if the two keys can be the
/// same. Reports only the first conflict of each such rule.
fn stars(sources: &[Source<'_>], all: &[&Rule<'_>], out: &mut Vec<Diagnostic>) {
    let with_star: Vec<_> = all.iter().filter(|rule| rule.rule.key.has_star()).collect();
    if with_star.len().saturating_mul(all.len()) > MOST_PAIRS {
        return;
    }
    for star in with_star {
        // Two rules with a star are compared only once. Two rules for the same key are reported elsewhere.
        let meets = |other: &&&Rule<'_>| {
            let is_second = other.file < star.file || !other.rule.key.has_star();
            is_second && other.file != star.file && star.place.may_meet(other.place) && star.folded != other.folded
        };
        let conflict = all.iter().filter(meets).find_map(|other| {
            let (first, second) = if other.file < star.file { (*other, *star) } else { (*star, *other) };
            let (a, b) = (&first.rule, &second.rule);
            let is_key = match (a.desired.is_absent(), b.desired.is_absent()) {
                (true, false) => denies(a, b),
                (false, true) => denies(b, a),
                _ => false,
            };
            let value = at_odds(a, b).first().map(|(_, value)| &value.name);
            let path = match value {
                Some(name) => value_path(second, name.as_str()),
                None if is_key => Path::default().field("registry").item(second.number).field("key"),
                None => return None,
            };
            let what = value.map_or_else(|| "the key".to_owned(), |name| format!("{} in", shown_name(name.as_str())));
            Some((first, second, format!("{what} `{}`, which can be the same key as `{}`", b.key, a.key), path))
        });
        let Some((first, second, what, path)) = conflict else { continue };
        let (a, b) = names(sources, first, second);
        let message = format!("{a} and {b} require different states of {what}");
        let hint = "apply only one of the two specs, or change their conditions, so that only one of the specs applies";
        let warning = Diagnostic::warning(Code::CONFLICTING_SPECS, message).hint(hint);
        out.push(placed(warning, &sources[second.file], &path));
    }
}

/// Reports the key that the rule `other` requires, if the rule `exclusive` of another spec deletes this key. If it
/// keeps the key, reports each value that `other` requires and `exclusive` deletes. A rule with the field `exclusive`
/// deletes content of its key that its own spec does not name.
fn beside(sources: &[Source<'_>], exclusive: &Rule<'_>, other: &Rule<'_>, out: &mut Vec<Diagnostic>) {
    let is_tree = exclusive.rule.exclusive == Some(Exclusive::Tree);
    let is_in_it = key_is_within(other.place, exclusive.place);
    if !is_in_it || (!is_tree && other.folded != exclusive.folded) {
        return;
    }
    let own: Vec<(&KeyPattern, &KeyRule)> =
        exclusive.keys.iter().map(|of| &of.key).zip(&exclusive.spec.rules).collect();
    let rule_path = Path::default().field("registry").item(other.number);
    let (key, conditional) = (other.rule.key.to_string(), exclusive.rule.when.is_some());
    let values = match &other.rule.desired {
        DesiredKey::Absent(_) => return,
        DesiredKey::Present => &[][..],
        DesiredKey::Values(values) => values,
    };
    let is_above = |place: &KeyPattern| {
        let above = place.names.get(..other.place.names.len()).map(<[_]>::to_vec);
        above.is_some_and(|names| may_be_one(&KeyPattern { names, ..place.clone() }, other.place))
    };
    let is_named = own.iter().any(|(place, rule)| !rule.desired.is_absent() && is_above(place));
    if other.rule.may_need_key() && !is_named {
        let what = format!("the key `{key}`, which `{}` must not contain", exclusive.rule.key);
        let conditional = conditional || !other.rule.needs_key();
        report(sources, exclusive, other, &what, conditional, &rule_path.field("key"), out);
        return;
    }
    for value in values.iter().filter(|value| !value.may_be_absent()) {
        let names_it = |(place, rule): &(&KeyPattern, &KeyRule)| match &rule.desired {
            DesiredKey::Values(own) => may_be_one(place, other.place) && own.iter().any(|own| own.name == value.name),
            _ => false,
        };
        if !own.iter().any(names_it) {
            let name = match value.name.is_default() {
                true => "the default value".to_owned(),
                false => format!("the value `{}`", value.name),
            };
            let what = format!("{name} in the key `{key}`, which must contain no other values");
            let path = value_path(other, value.name.as_str());
            report(sources, exclusive, other, &what, conditional || value.when.is_some(), &path, out);
        }
    }
}

/// Returns the path of the value `value_name` in the document that contains the rule.
fn value_path(rule: &Rule<'_>, value_name: &str) -> Path {
    Path::default().field("registry").item(rule.number).field("values").field(value_name)
}

fn same_key(sources: &[Source<'_>], first: &Rule<'_>, second: &Rule<'_>, out: &mut Vec<Diagnostic>) {
    for (other, value) in at_odds(first.rule, second.rule) {
        let path = value_path(second, value.name.as_str());
        let (key, other_name) = (second.rule.key.to_string(), first.rule.key.to_string());
        let name = shown_name(value.name.as_str());
        let what = match key == other_name {
            true => format!("{name} in `{key}`"),
            false => format!("{name} in `{key}`, the same key as `{other_name}`"),
        };
        report(sources, first, second, &what, other.when.is_some() || value.when.is_some(), &path, out);
    }
}

/// Returns each two rules for one value, in `first` and in `second`, that require different states.
fn at_odds<'a>(first: &'a KeyRule, second: &'a KeyRule) -> Vec<(&'a ValueRule, &'a ValueRule)> {
    let (DesiredKey::Values(a), DesiredKey::Values(b)) = (&first.desired, &second.desired) else { return Vec::new() };
    // Many specs can have the same key, and each two of them are compared. Most name its values in the same order.
    let (mut by_name, mut found) = (None, Vec::new());
    for (at, value) in b.iter().enumerate() {
        let is_same = |other: &&ValueRule| other.name == value.name;
        let other = match a.get(at).filter(is_same) {
            Some(other) => Some(other),
            // For few values, a map takes longer.
            None if a.len() <= 8 => a.iter().find(is_same),
            None => {
                let all = || a.iter().map(|value| (&value.name, value)).collect::<HashMap<_, _>>();
                by_name.get_or_insert_with(all).get(&value.name).copied()
            }
        };
        found.extend(other.filter(|other| !other.may_agree_with(value)).map(|other| (other, value)));
    }
    found
}

/// Reports at `path` in the file of `second` that two rules of different specs require different states of `what`, a
/// key or value. The finding is a warning if `conditional` is true, if one of the rules has a condition or is a
/// trigger, or if the `applicable` of the specs differs. In all other cases, the finding is an error.
fn report(
    sources: &[Source<'_>],
    first: &Rule<'_>,
    second: &Rule<'_>,
    what: &str,
    conditional: bool,
    path: &Path,
    out: &mut Vec<Diagnostic>,
) {
    let conditional = conditional
        || first.rule.is_conditional()
        || second.rule.is_conditional()
        || first.spec.applicable != second.spec.applicable;
    let (a, b) = names(sources, first, second);
    let (message, hint) = match conditional {
        true => (
            format!("if both apply, {a} and {b} require different states of {what}"),
            "change the conditions of the specs, so that only one of the specs applies",
        ),
        false => (format!("{a} and {b} require different states of {what}"), "apply only one of the two specs"),
    };
    let build = if conditional { Diagnostic::warning } else { Diagnostic::error };
    out.push(placed(build(Code::CONFLICTING_SPECS, message).hint(hint), &sources[second.file], path));
}

/// Returns names for the specs of two rules: the ids, or the names of the files if the ids are equal.
fn names<'a>(sources: &'a [Source<'_>], first: &Rule<'a>, second: &Rule<'a>) -> (&'a str, &'a str) {
    match first.spec.id == second.spec.id {
        true => (sources[first.file].name, sources[second.file].name),
        false => (&first.spec.id, &second.spec.id),
    }
}

/// Adds the place of the field at `path` to `diagnostic`. Parses the file a second time to find the place: keeping the
/// places of all files in memory would cost more, because conflicts are rare.
fn placed(diagnostic: Diagnostic, source: &Source<'_>, path: &Path) -> Diagnostic {
    let place = || -> Option<Place> {
        let text = Text::decode(source.name, source.bytes).ok()?;
        let places = parse::read(&text).places?;
        let spot = if path.last_field() == Some("id") || path.last_field() == Some("key") {
            places.value(path)
        } else {
            places.name(path)
        };
        let mut place = text.place(spot?);
        if let Some(hidden) = sensitive::find(&places, Private::Spec(&Settings::new())) {
            hidden.hide_source(&mut place);
        }
        Some(place)
    };
    match place() {
        Some(place) => diagnostic.at(place),
        None => diagnostic,
    }
}
