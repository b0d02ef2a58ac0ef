//! Checks the declarations of a spec's parameters, and the data that the operator sets for them.

use super::parameter::{Resolved, is_part_of_name, text_of};
use crate::{
    diag::{
        Code, Hint,
        text::{first_few, shorten, suggest},
    },
    spec::{
        Setting, Settings,
        document::{Allowed, Document, Literal, Parameter, ParameterType, Scalar},
    },
};

use super::{
    Context, Path, data,
    numbers::{self, NoNumber},
    parameter_types,
};

/// Reports that `name` is not a valid name. `what` is the kind of name: a parameter or a location.
pub(super) fn illegal_name(cx: &mut Context<'_>, name: &str, what: &str, path: &Path) {
    let message = format!("`{}` is not a valid name for a {what}", shorten(name));
    cx.error_at_name(
        Code::VARIABLE_NAME,
        path,
        message,
        "use lowercase letters, digits and `_`, and do not begin with a digit",
    );
}

/// Determines the data that each parameter of the spec has in this run, and stores it in `cx`. Reports the errors.
pub(super) fn resolve_all(cx: &mut Context<'_>, document: &Document, settings: &Settings) {
    let used_as = parameter_types::kinds(document);
    cx.sensitive.extend(parameter_types::sensitive(document));
    for (name, parameter) in &document.parameters {
        let path = Path::default().field("parameters").field(name);
        if !crate::spec::model::is_variable_name(name) {
            illegal_name(cx, name, "parameter", &path);
        }
        if cx.tainted.contains(name) {
            continue;
        }
        match resolve(cx, name, parameter, used_as.get(name).copied(), settings, &path) {
            Some(resolved) => drop(cx.parameters.insert(name.clone(), resolved)),
            None => drop(cx.tainted.insert(name.clone())),
        }
    }
}

/// The type of a parameter, and the limits on its data.
struct Limits<'p> {
    kind: ParameterType,
    /// The allowed data with its meanings; the list is empty if there is no `allowed`. A meaning is an empty string if
    /// the spec gives none.
    allowed: Vec<(Literal, &'p str)>,
    range: (u64, u64),
    has_range: bool,
}

impl Limits<'_> {
    /// Returns a description of the allowed data if `data` is not allowed; `None` if it is allowed.
    fn refuses(&self, data: &Literal) -> Option<String> {
        if !self.allowed.is_empty() {
            let known = self.allowed.iter().any(|(allowed, _)| allowed == data);
            return (!known).then(|| self.list());
        }
        match data {
            Literal::Number(number) if !(self.range.0..=self.range.1).contains(number) => {
                Some(format!("the range is {} to {}", self.range.0, self.range.1))
            }
            _ => None,
        }
    }

    /// Returns a text that lists the first five allowed data with their meanings, and the number of the others.
    fn list(&self) -> String {
        let each = self.allowed.iter().map(|(data, meaning)| match *meaning {
            "" => format!("`{}`", data::show(data)),
            meaning => format!("`{}` ({})", data::show(data), shorten(meaning)),
        });
        match self.allowed.len() {
            1 => format!("only {} is allowed", first_few(each)),
            _ => format!("allowed are {}", first_few(each)),
        }
    }
}

fn resolve(
    cx: &mut Context<'_>,
    name: &str,
    from: &Parameter,
    used_as: Option<ParameterType>,
    settings: &Settings,
    path: &Path,
) -> Option<Resolved> {
    let limits = limits(cx, from, used_as, path)?;
    let default = match &from.default {
        None => None,
        Some(literal) => Some(default(cx, literal, &limits, &path.field("default"))?),
    };
    let set = match settings.get(name) {
        None => None,
        Some(data) => Some(setting(cx, name, data, &limits, path)?),
    };
    let is_sensitive = cx.sensitive.contains(name);
    let unset = (set.is_none() && default.is_none()).then(|| match limits.allowed.is_empty() || is_sensitive {
        false => limits.list(),
        true => shorten(&from.description),
    });
    if let Some(what) = unset.as_ref().filter(|_| !settings.may_be_unset()) {
        let hint = Hint::new(format!("set it: {what}")).option("set", format!("{name}=…"));
        let message = format!("the parameter `{name}` has no default, and is not set");
        cx.error_at_name(Code::PARAMETER_NOT_SET, path, message, hint);
        return None;
    }
    let mut possible: Vec<Literal> = limits.allowed.iter().map(|(data, _)| data.clone()).collect();
    if limits.has_range {
        possible.extend([Literal::Number(limits.range.0), Literal::Number(limits.range.1)]);
    }
    let example = || match limits.kind {
        ParameterType::Number => Literal::Number(limits.range.0),
        ParameterType::String => Literal::Text("0".to_owned()),
        ParameterType::List => Literal::List(Vec::new()),
    };
    let is_set = set.is_some();
    let current = set.or(default).or_else(|| possible.first().cloned()).unwrap_or_else(example);
    let mut names = std::iter::once(&current).chain(&possible).map(text_of);
    let no_name = names.find(|text| !is_part_of_name(text));
    Some(Resolved {
        kind: limits.kind,
        current,
        is_set,
        is_sensitive,
        unset,
        others: possible.into(),
        is_list_of_all: !limits.allowed.is_empty(),
        no_name,
    })
}

fn limits<'p>(
    cx: &mut Context<'_>,
    from: &'p Parameter,
    used_as: Option<ParameterType>,
    path: &Path,
) -> Option<Limits<'p>> {
    let scalars: Vec<(Scalar, &str)> = match &from.allowed {
        None => Vec::new(),
        Some(Allowed::List(list)) => list.iter().map(|s| (s.clone(), "")).collect(),
        Some(Allowed::Meanings(map)) => {
            map.iter().map(|(data, meaning)| (Scalar::Text(data.clone()), meaning.as_str())).collect()
        }
    };
    let allowed_path = path.field("allowed");
    if from.allowed.is_some() && scalars.is_empty() {
        cx.error(
            Code::EMPTY,
            &allowed_path,
            "`allowed` is empty",
            "list the data that is allowed, or remove `allowed`",
        );
        return None;
    }
    if from.allowed.is_some() && from.range.is_some() {
        let message = "the parameter has both `allowed` and `range`";
        cx.error_at_name(Code::CONTRADICTION, &path.field("range"), message, "keep one of them");
        return None;
    }
    let derived = used_as.filter(|_| from.range.is_none());
    let kind = from.kind.or(derived).unwrap_or_else(|| kind(from, &scalars));
    let mut allowed = Vec::new();
    for (at, (scalar, meaning)) in scalars.iter().enumerate() {
        let data = match (kind, scalar) {
            (ParameterType::Number, scalar) => numbers::number(scalar).map(Literal::Number),
            (ParameterType::String, Scalar::Text(text)) => Some(Literal::Text(text.clone())),
            (ParameterType::String, Scalar::Number(_)) | (ParameterType::List, _) => None,
        };
        match data {
            Some(data) => allowed.push((data, *meaning)),
            None => {
                let (what, hint) = match (kind, scalar) {
                    (ParameterType::Number, Scalar::Text(text)) => {
                        let found = NoNumber::of(text, None);
                        (found.what.to_owned(), found.hint)
                    }
                    (ParameterType::List, _) => {
                        (format!("not {}", word(kind)), "remove `allowed`, which a list cannot have".to_owned())
                    }
                    _ => (
                        format!("not {}", word(kind)),
                        "give all data in `allowed` the type of the parameter".to_owned(),
                    ),
                };
                let message = format!("`{}` is {what}", data::show_scalar(scalar));
                match &from.allowed {
                    Some(Allowed::Meanings(_)) => {
                        cx.error_at_name(
                            Code::PARAMETER_KIND,
                            &allowed_path.field(&numbers::text_of(scalar)),
                            message,
                            hint,
                        );
                    }
                    _ => cx.error(Code::PARAMETER_KIND, &allowed_path.item(at), message, hint),
                }
                return None;
            }
        }
    }
    // A mapping keeps its fields sorted as text, which is not the order of numbers.
    allowed.sort_by(|(a, _), (b, _)| match (a, b) {
        (Literal::Number(a), Literal::Number(b)) => a.cmp(b),
        _ => std::cmp::Ordering::Equal,
    });
    let range = range(cx, from, kind, &path.field("range"))?;
    Some(Limits { kind, allowed, range, has_range: from.range.is_some() })
}

/// Determines the type of a parameter from its range, its default and its allowed data, if nothing else determines the
/// type.
fn kind(from: &Parameter, scalars: &[(Scalar, &str)]) -> ParameterType {
    match (&from.default, from.range.is_some()) {
        (_, true) | (Some(Literal::Number(_)), _) => ParameterType::Number,
        (Some(Literal::Text(_)), _) => ParameterType::String,
        (Some(Literal::List(_)), _) => ParameterType::List,
        (None, false) => {
            let numbers = !scalars.is_empty() && scalars.iter().all(|(scalar, _)| numbers::number(scalar).is_some());
            if numbers { ParameterType::Number } else { ParameterType::String }
        }
    }
}

fn range(cx: &mut Context<'_>, from: &Parameter, kind: ParameterType, path: &Path) -> Option<(u64, u64)> {
    let Some(range) = &from.range else { return Some((0, u64::MAX)) };
    if kind != ParameterType::Number {
        let message = format!("the parameter is {}, but a range is only for numbers", word(kind));
        cx.error_at_name(Code::PARAMETER_KIND, path, message, "remove `range`, or make it `type: number`");
        return None;
    }
    let mut end = |scalar: &Option<Scalar>, field: &str, open: u64| match scalar {
        None => Some(open),
        Some(scalar) => {
            let number = numbers::number(scalar);
            if number.is_none() {
                let text = numbers::text_of(scalar);
                let found = NoNumber::of(&text, None);
                cx.error(Code::PARAMETER_KIND, &path.field(field), found.message(&text), found.hint);
            }
            number
        }
    };
    let (least, most) = (end(&range.at_least, "at_least", 0), end(&range.at_most, "at_most", u64::MAX));
    let (least, most) = (least?, most?);
    if least > most {
        let message = format!("no number is at least {least} and at most {most}");
        cx.error(Code::EMPTY_RANGE, path, message, "swap the two numbers");
        return None;
    }
    Some((least, most))
}

fn default(cx: &mut Context<'_>, literal: &Literal, limits: &Limits<'_>, path: &Path) -> Option<Literal> {
    let found = match (limits.kind, literal) {
        (ParameterType::Number, Literal::Text(text)) => numbers::number_in(text).map(Literal::Number),
        (ParameterType::Number, Literal::Number(_))
        | (ParameterType::String, Literal::Text(_))
        | (ParameterType::List, Literal::List(_)) => Some(literal.clone()),
        _ => None,
    };
    let Some(found) = found else {
        let what = match (limits.kind, literal) {
            (ParameterType::Number, Literal::Text(text)) => NoNumber::of(text, None).what.to_owned(),
            _ => format!("not {}", word(limits.kind)),
        };
        let message = format!("the default `{}` is {what}", data::show(literal));
        let hint = match (limits.kind, literal) {
            (ParameterType::String, Literal::Number(number)) => Hint::quote(&format!("\"{number}\"")),
            (ParameterType::List, _) => format!("write a list: [{}]", data::show(literal)).into(),
            (ParameterType::Number, Literal::Text(text)) => NoNumber::of(text, None).hint.into(),
            _ => "write data of the parameter's type".into(),
        };
        cx.error(Code::PARAMETER_KIND, path, message, hint);
        return None;
    };
    if let Some(allowed) = limits.refuses(&found) {
        let message = format!("the default `{}` is not allowed", data::show(&found));
        cx.error(Code::DATA_NOT_ALLOWED, path, message, allowed);
        return None;
    }
    Some(found)
}

fn setting(cx: &mut Context<'_>, name: &str, data: &Setting, limits: &Limits<'_>, path: &Path) -> Option<Literal> {
    let text = match data {
        Setting::Text(text) => text,
        Setting::List(list) if limits.kind == ParameterType::List => return Some(Literal::List(list.clone())),
        Setting::List(_) => {
            let message = format!("the parameter `{name}` is set to a list, but must be {}", word(limits.kind));
            let hint = format!("set the parameter to {}", word(limits.kind));
            cx.error_at_name(Code::SETTING_NOT_ALLOWED, path, message, hint);
            return None;
        }
    };
    let found = match limits.kind {
        ParameterType::Number => numbers::number_in(text).map(Literal::Number),
        ParameterType::String => Some(Literal::Text(text.to_owned())),
        ParameterType::List if text.is_empty() => Some(Literal::List(Vec::new())),
        ParameterType::List => Some(Literal::List(text.split(',').map(|item| item.trim().to_owned()).collect())),
    };
    let refused = match &found {
        None => Some(NoNumber::of(text, None).hint),
        Some(found) => limits.refuses(found),
    };
    let Some(hint) = refused else { return found };
    let what = if found.is_none() { format!("not {}", word(limits.kind)) } else { "not allowed".to_owned() };
    if cx.sensitive.contains(name) {
        let message = format!("the sensitive parameter `{name}` is set to data that is {what}");
        cx.error_at_name(Code::SETTING_NOT_ALLOWED, path, message, HIDDEN_HINT);
        return None;
    }
    let what = if found.is_none() { NoNumber::of(text, None).what } else { &what };
    let message = format!("the parameter `{name}` is set to `{}`, which is {what}", shorten(text));
    let texts: Vec<String> = limits.allowed.iter().map(|(data, _)| data::show(data)).collect();
    let meant =
        (limits.kind == ParameterType::String).then(|| suggest(text, texts.iter().map(String::as_str))).flatten();
    let hint = meant.map_or(hint.clone(), |meant| format!("did you mean `{meant}`? {hint}"));
    cx.error_at_name(Code::SETTING_NOT_ALLOWED, path, message, hint);
    None
}

/// The hint for a wrong setting of a sensitive parameter. Another hint could reveal the data.
pub(super) const HIDDEN_HINT: &str = "see what the spec says about the parameter; its data is not shown";

fn word(kind: ParameterType) -> &'static str {
    match kind {
        ParameterType::Number => "a number",
        ParameterType::String => "a string",
        ParameterType::List => "a list",
    }
}
