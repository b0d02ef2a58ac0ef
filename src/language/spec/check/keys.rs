//! Checks the keys and value names of a spec: their syntax, and common mistakes.

use crate::{
    diag::{
        Code,
        text::{shorten, suggest},
    },
    registry::{KeyName, NameError, RootKey, ValueName, View, name},
    spec::{
        document::OneView,
        model::{KeyPattern, Like, NamePattern, Piece, Unset, ValueAt, pieces, protected::can_be_protected},
    },
};

use super::{Context, Part, Path, names, varying};

/// Parses the key `text`, which is at `path`, and checks it. Returns the key in the 64-bit view, or `None` after
/// reporting an error. `view_given` says whether the spec gives a view for this key.
pub(super) fn key(cx: &mut Context<'_>, text: &str, view_given: bool, path: &Path) -> Option<KeyPattern> {
    if let Some(below) = text.strip_prefix('.').filter(|below| below.is_empty() || below.starts_with('\\')) {
        return own_key(cx, below, view_given, path);
    }
    let (root_text, below) = text.split_once('\\').map_or((text, None), |(root, below)| (root, Some(below)));
    let root = root(cx, root_text, text, path)?;
    let parts = || below.map(|below| below.split('\\')).into_iter().flatten();
    let mut names = Vec::with_capacity(parts().count());
    let met = std::mem::take(&mut cx.met_unset);
    for part in parts() {
        names.push(name_pattern(cx, part, path)?);
    }
    let parameters = std::mem::replace(&mut cx.met_unset, met);
    cx.met_unset.extend(parameters.iter().cloned());
    let unset = (!parameters.is_empty()).then(|| {
        let key = varying::shown(cx, root.short(), parts(), &names);
        Box::new(Unset { parameters, key })
    });
    let of_user = |own: &Option<KeyPattern>| own.as_ref().is_some_and(|own| own.root == RootKey::Hkcu);
    let same_user = root == RootKey::Hkcu && cx.own_key.as_ref().is_some_and(of_user);
    let key = KeyPattern { root, names, view: View::Bits64, own: None, same_user, default_profile: false, unset };
    lint(cx, &key, 0, view_given, path).then_some(key)
}

/// Checks a key in a `when` or `done_when` that begins with `.`, which means the key of the rule itself. `below` is the
/// rest of the text, such as `\Name` for a subkey. Returns `None` after reporting an error.
fn own_key(cx: &mut Context<'_>, below: &str, view_given: bool, path: &Path) -> Option<KeyPattern> {
    let Some(own) = cx.own_key.clone() else {
        let message = "`.` means the key of a rule; only the conditions of that rule and of its values can use it";
        cx.error(Code::KEY_SYNTAX, path, message, "write the whole key, from HKLM or another root key on");
        return None;
    };
    if view_given {
        let message = "`.` is the key of the rule in the view of the rule, so it cannot have another `view`";
        cx.error(Code::CONTRADICTION, path, message, "remove the field `view`");
        return None;
    }
    let mut key = own?;
    let (of_rule, above) = (key.names.len(), key.to_string());
    key.own = Some(of_rule);
    let met = std::mem::take(&mut cx.met_unset);
    for part in below.split('\\').skip(1) {
        key.names.push(name_pattern(cx, part, path)?);
    }
    let mut parameters = std::mem::replace(&mut cx.met_unset, met);
    parameters.extend(key.unset.take().into_iter().flat_map(|unset| unset.parameters));
    cx.met_unset.extend(parameters.iter().cloned());
    if !parameters.is_empty() {
        let key_text = varying::shown(cx, &above, below.split('\\').skip(1), &key.names[of_rule..]);
        key.unset = Some(Box::new(Unset { parameters, key: key_text }));
    }
    lint(cx, &key, of_rule, false, path).then_some(key)
}

fn root(cx: &mut Context<'_>, text: &str, whole: &str, path: &Path) -> Option<RootKey> {
    if let Some(root) = RootKey::parse(text) {
        return Some(root);
    }
    for (kernel, root) in [(r"\Registry\Machine", "HKLM"), (r"\Registry\User", "HKU")] {
        let below = whole.get(kernel.len()..).filter(|below| below.is_empty() || below.starts_with('\\'));
        if let Some(below) = below
            && whole.get(..kernel.len()).is_some_and(|start| start.eq_ignore_ascii_case(kernel))
        {
            let message = format!("`{kernel}` is a name that only the Windows kernel uses");
            cx.error(Code::KEY_SYNTAX, path, message, format!("write `{}`", shorten(&format!("{root}{below}"))));
            return None;
        }
    }
    if let Some(meant) = pasted(whole) {
        let message = format!("a key must not begin with `{}`", shorten(&whole[..whole.len() - meant.len()]));
        cx.error(Code::KEY_SYNTAX, path, message, format!("write `{}`", shorten(meant)));
        return None;
    }
    let (first, rest) = whole.split_at(whole.find(['\\', '/']).unwrap_or(whole.len()));
    let drive = first.strip_suffix(':');
    let named = RootKey::parse(drive.unwrap_or(first));
    if let Some(root) = named {
        // In a name, a slash is allowed.
        let rest = if rest.starts_with('/') { rest.replace('/', "\\") } else { rest.to_owned() };
        let hint = shorten(&format!("{}{rest}", root.short()));
        if drive.is_some() {
            let message = format!("`{}` is PowerShell's notation for a drive", shorten(first));
            cx.error_within(Code::KEY_DRIVE_NOTATION, path, first, message, format!("write `{hint}`"));
        } else {
            let message = format!("there is a slash after `{first}`, but backslashes separate the names in a key path");
            cx.error(Code::KEY_SYNTAX, path, message, format!("write '{hint}'"));
        }
        return None;
    }
    let known: Vec<&str> = RootKey::ALL.iter().flat_map(|r| [r.short(), r.long()]).collect();
    let hint = match suggest(drive.unwrap_or(first), known.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => "a key begins with HKLM, HKCU, HKU, HKCR or HKCC".to_owned(),
    };
    cx.error_within(Code::UNKNOWN_ROOT_KEY, path, first, format!("`{}` is not a root key", shorten(first)), hint);
    None
}

/// Finds the path of a key in text that was copied from another tool: `\HKLM\…`, `Computer\HKEY_…` (regedit's address
/// bar), `Registry::HKEY_…` (PowerShell), `[HKEY_…`. Returns `None` for any other text.
fn pasted(text: &str) -> Option<&str> {
    let rest = text.trim_start_matches(['\\', '[']);
    let rest = rest
        .split_once("::")
        .map_or(rest, |(provider, rest)| if provider.to_ascii_lowercase().ends_with("registry") { rest } else { text });
    let is_key =
        |text: &str| RootKey::parse(text.split('\\').next().unwrap_or_default().trim_end_matches(':')).is_some();
    // The word before the root key depends on the language of Windows: in German it is Arbeitsplatz instead of
    // Computer.
    let rest = match rest.split_once('\\') {
        Some((_, below)) if !is_key(rest) && is_key(below) => below,
        _ => rest,
    };
    (rest.len() < text.len() && is_key(rest)).then_some(rest)
}

fn name_pattern(cx: &mut Context<'_>, part: &str, path: &Path) -> Option<NamePattern> {
    names::check_in_path(cx, part, path, Part::Data);
    // Almost every name needs none of the steps below: it has no `*`, parameter, escape or unusual character.
    let is_common = |byte: u8| matches!(byte, b' '..=b'~') && !b"*[{}".contains(&byte);
    if part.bytes().all(is_common)
        && let Ok(name) = KeyName::new(part)
    {
        return Some(NamePattern::Name(name));
    }
    // The parts of the name between the stars.
    let mut parts = vec![String::new()];
    for piece in pieces(part) {
        let text = match piece {
            Piece::Star => {
                parts.push(String::new());
                continue;
            }
            Piece::Text(text) => text.to_owned(),
            Piece::Variable(name) => data_of(cx, name, path)?,
        };
        parts.last_mut()?.push_str(&text);
    }
    if let Some(c) = parts.iter().flat_map(|part| part.chars()).find(|c| c.is_control()) {
        let message = format!("the name of a key contains the character U+{:04X}", u32::from(c));
        let hint = "remove it; if the key is in double quotes, in which `\\` begins an escape, use single quotes";
        cx.error(Code::KEY_SYNTAX, path, message, hint);
        return None;
    }
    if let Some((found, message)) = doubtful(part) {
        let hint = "for any characters in one name, write `*`; for the characters `*`, `{`, `}` and `[` themselves, \
                    write `[*]`, `[{]`, `}` and `[[]`";
        cx.warning(Code::KEY_ESCAPE, path, Part::Data, format!("`{found}` {message}"), hint);
    }
    let whole = match parts.as_mut_slice() {
        [one] => std::mem::take(one),
        several => several.join("*"),
    };
    match KeyName::new(whole) {
        Ok(_) if parts.len() > 1 => Some(NamePattern::Like(Like::new(parts))),
        Ok(name) => Some(NamePattern::Name(name)),
        Err(error) => {
            let hint = match &error {
                NameError::Empty => "write one backslash between two names, and none at the end",
                NameError::TooLong { .. } => "check whether a backslash is missing in the path",
                NameError::Character(_) => "a name cannot contain this character",
            };
            cx.error_within(Code::KEY_SYNTAX, path, part, format!("not a key: {error}"), hint);
            None
        }
    }
}

/// Finds text in a name that looks like an escape but has another meaning. Returns the text and that meaning; `None` if
/// there is no such text.
fn doubtful(part: &str) -> Option<(&'static str, &'static str)> {
    const LOOKS_SO: [(&str, &str); 3] = [
        ("**", "means the same as `*`: any characters in one name, but not the keys below"),
        ("[}]", "means these three characters, because `}` has no special meaning and needs no escape"),
        ("[*", "means a `[` followed by any characters"),
    ];
    if !part.contains(['*', '}']) {
        return None;
    }
    let rest = ["[*]", "[{]", "[[]"].iter().fold(part.to_owned(), |rest, escape| rest.replace(escape, "\0"));
    LOOKS_SO.into_iter().find(|(text, _)| rest.contains(text))
}

/// Returns the data of the parameter `name`, which replaces `{name}` in a key. Returns `None` after reporting an error.
fn data_of(cx: &mut Context<'_>, name: &str, path: &Path) -> Option<String> {
    let parameter = cx.parameter(name, path)?;
    if parameter.is_sensitive {
        let message = format!("the parameter `{name}` is sensitive, but the name of a key is shown to everybody");
        let hint = "use another parameter in the key";
        cx.error_within(Code::CONTRADICTION, path, &format!("{{{name}}}"), message, hint);
        return None;
    }
    // Data that this run does not use must be a part of a name as well.
    let data = match parameter.no_name.clone() {
        None if parameter.is_text_or_number() => return Some(parameter.text()),
        no_name => no_name.unwrap_or_else(|| parameter.text()),
    };
    let hint = "in a key, a parameter must be one name, or a part of a name";
    if parameter.is_set && data == parameter.text() {
        cx.setting_error(name, &shorten(&data), path, "this is not a valid name of a key", hint.into());
        return None;
    }
    let message = format!("the parameter `{name}` can be `{}`, which is not the name of a key", shorten(&data));
    cx.error_within(Code::KEY_SYNTAX, path, &format!("{{{name}}}"), message, hint);
    None
}

/// Returns the name with index `at` in the path of the key, where the name after the root key has index 0. Returns
/// `None` if there is no such name, or it contains a `*`.
fn nth(key: &KeyPattern, at: usize) -> Option<&str> {
    match key.names.get(at) {
        Some(NamePattern::Name(name)) => Some(name.as_str()),
        _ => None,
    }
}

fn is(key: &KeyPattern, at: usize, wanted: &str) -> bool {
    nth(key, at).is_some_and(|found| name::compare(found, wanted).is_eq())
}

/// Reports probable mistakes in a key whose syntax is valid. Ignores the first `skip` names of its path: these are the
/// key of the rule, which is checked separately. Returns `false` after reporting an error, and otherwise `true`.
fn lint(cx: &mut Context<'_>, key: &KeyPattern, skip: usize, view_given: bool, path: &Path) -> bool {
    let mut sound = true;
    if key.root == RootKey::Hklm
        && skip <= 1
        && is(key, 0, "SYSTEM")
        && let Some(set) = nth(key, 1)
        && let Some(number) = set.to_ascii_lowercase().strip_prefix("controlset")
        && number.len() == 3
        && number.bytes().all(|b| b.is_ascii_digit())
    {
        let message = format!("`{set}` is a numbered control set, which is not always the current one");
        cx.error_within(Code::CONTROL_SET, path, set, message, "write `CurrentControlSet`");
        sound = false;
    }
    let names = || key.names.iter().enumerate();
    if let Some((at, _)) = names().skip(skip).find(|(at, _)| is(key, *at, "Wow6432Node")) {
        let without: Vec<NamePattern> = names().filter(|(i, _)| *i != at).map(|(_, name)| name.clone()).collect();
        let text = without.iter().map(ToString::to_string).collect::<Vec<_>>().join("\\");
        let text = format!(r"`{}\{}`", key.root.short(), shorten(&text));
        let hint = match exists_once(&KeyPattern { names: without, ..key.clone() }) {
            true => format!("write {text}; this key exists only once, for 32-bit and 64-bit programs"),
            false => format!("write {text} and `view: 32`"),
        };
        let message = "`Wow6432Node` is where 64-bit Windows keeps the 32-bit view";
        if view_given {
            cx.error(Code::WOW6432NODE, path, format!("{message}; the field `view` says which view is meant"), hint);
            sound = false;
        } else {
            cx.warning(Code::WOW6432NODE, path, Part::Data, format!("{message}; 32-bit Windows has no such key"), hint);
        }
    }
    if has_star_in_classes(key, skip) {
        let message = "below Classes, Windows has a key whose name is `*`; in a spec `*` stands for every subkey";
        cx.error(Code::STAR, path, message, "write `[*]` for the key whose name is `*`");
        sound = false;
    }
    sound
}

/// Returns whether the name directly below Classes is `*`, and is not one of the first `skip` names of the path.
fn has_star_in_classes(key: &KeyPattern, skip: usize) -> bool {
    let one = key.one_name();
    let software = usize::from(one.root == RootKey::Hku);
    let is_in = is(&one, software, "SOFTWARE") && is(&one, software + 1, "Classes");
    let star = matches!(one.names.get(software + 2), Some(NamePattern::Like(like)) if like.is_any());
    // The canonical name differs only in the names above the star.
    is_in && star && key.names.len() + software + 2 >= one.names.len() + skip
}

/// Checks the key and the name of a value that a spec reads. `path` is the path of the field that contains the fields
/// `key` and `name`. Returns `None` after reporting an error.
pub(super) fn value_at(
    cx: &mut Context<'_>,
    key_text: &str,
    value_name: &str,
    view: Option<OneView>,
    path: &Path,
) -> Option<ValueAt> {
    let found = key(cx, key_text, view.is_some(), &path.field("key"));
    view_without_effect(cx, found.as_ref(), view == Some(OneView::Bits32), path);
    let name = name_of_value(cx, value_name, &path.field("name"), Part::Data);
    Some(ValueAt { key: in_view(found?, view), name: name? })
}

/// Returns `key` in the view `view`, or in the 64-bit view if the spec gives no view.
pub(super) fn in_view(key: KeyPattern, view: Option<OneView>) -> KeyPattern {
    let view = if view == Some(OneView::Bits32) { View::Bits32 } else { View::Bits64 };
    KeyPattern { view, ..key }
}

/// Returns whether both views share the key.
fn exists_once(key: &KeyPattern) -> bool {
    let in_view = |view| KeyPattern { view, ..key.clone() }.one_name();
    in_view(View::Bits32) == in_view(View::Bits64)
}

/// Warns if the spec requests the 32-bit view of a key that both views share, so that the field `view` has no effect.
/// `narrow` says whether the spec requests the 32-bit view.
pub(super) fn view_without_effect(cx: &mut Context<'_>, key: Option<&KeyPattern>, narrow: bool, path: &Path) {
    let Some(key) = key.filter(|_| narrow) else { return };
    if exists_once(key) {
        let key = KeyPattern { view: View::Bits64, ..key.clone() }.one_name();
        let message = format!("`{key}` exists only once, for 32-bit and 64-bit programs");
        cx.warning(Code::VIEW_WITHOUT_EFFECT, &path.field("view"), Part::Name, message, "remove `view`");
    }
}

/// Warns if the last name in the path of a key equals the name of a value in this key. Articles print key and value
/// name on one line, so an author can copy both as one key.
pub(super) fn value_in_key<'n>(
    cx: &mut Context<'_>,
    key: &KeyPattern,
    values: impl IntoIterator<Item = &'n str>,
    path: &Path,
) {
    let Some(NamePattern::Name(last)) = key.names.last() else { return };
    if let Some(value) = values.into_iter().find(|value| name::compare(last.as_str(), value).is_eq()) {
        let message =
            format!("the last name in the key, `{}`, is also the name of a value in this key", shorten(value));
        let hint = "articles often print key and value name in one line; if that is so here, remove the last name";
        cx.warning_within(Code::VALUE_IN_KEY, path, Part::Data, last.as_str(), message, hint);
    }
}

/// Parses a value name and checks it. Returns `None` after reporting an error.
pub(super) fn name_of_value(cx: &mut Context<'_>, text: &str, path: &Path, part: Part) -> Option<ValueName> {
    names::check(cx, text, path, part);
    let hint = match ValueName::new(text) {
        Ok(name) if text == "@" || text.eq_ignore_ascii_case("(default)") => {
            let message = format!("`{text}` means a value with this name, not the default value of the key");
            cx.warning(Code::VALUE_NAME, path, part, message, "write \"\" for the default value");
            return Some(name);
        }
        Ok(name) => return Some(name),
        Err(error) => error.to_string(),
    };
    let diagnostic =
        crate::diag::Diagnostic::error(Code::VALUE_NAME, format!("this is not a valid value name: {hint}"));
    cx.findings.add(diagnostic, path, part);
    None
}

/// Returns whether a rule may delete the key. Reports an error if the key is a root key, if it can match a protected
/// key, or if its last name contains a `*`.
pub(super) fn may_delete(cx: &mut Context<'_>, key: &KeyPattern, path: &Path) -> bool {
    let message = if key.names.is_empty() {
        format!("`{key}` is a root key; it cannot be deleted")
    } else if matches!(key.names.last(), Some(NamePattern::Like(_))) {
        format!("a deletion of `{key}` would delete every subkey whose name matches")
    } else if can_be_protected(key) {
        format!("`{key}` is or can match a key that Windows needs; kbfix never deletes it")
    } else {
        return true;
    };
    cx.error(Code::PROTECTED_KEY, path, message, "write the subkey that the article means");
    false
}

/// Returns whether a rule may delete all other content of the key. Reports an error if the key is a root key, or if it
/// can match a protected key.
pub(super) fn may_empty(cx: &mut Context<'_>, key: &KeyPattern, path: &Path) -> bool {
    let message = if key.names.is_empty() {
        format!("`{key}` is a root key; kbfix never deletes everything in a root key")
    } else if can_be_protected(key) {
        format!("`{key}` is or can match a key that Windows needs; kbfix never deletes its other contents")
    } else {
        return true;
    };
    let hint = "remove `exclusive`, and name what must be absent: a value with `ensure: absent`";
    cx.error(Code::PROTECTED_KEY, path, message, hint);
    false
}

/// Returns whether `key` is the key `above` or below it, in the same view. Both must contain canonical names. A name
/// with `*` equals only the same pattern.
pub(in crate::spec) fn is_within(key: &KeyPattern, above: &KeyPattern) -> bool {
    // Two keys mostly begin with the same names, so their last names are compared first.
    let is_prefix = |names: &[NamePattern]| names.iter().rev().eq(above.names.iter().rev());
    key.root == above.root && key.view == above.view && key.names.get(..above.names.len()).is_some_and(is_prefix)
}
