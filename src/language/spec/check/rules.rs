//! Checks the rules under `registry` in a spec, and whether two rules of the spec conflict.

use std::collections::HashMap;

use crate::{
    diag::{Code, text::shorten},
    registry::{RootKey, ValueName, View},
    spec::{
        document::{self, Ensure, ViewChoice},
        model::{Condition, DesiredKey, KeyPattern, KeyRule, Label, NamePattern},
    },
};

use super::{Context, Part, Path, conditions, keys, reach, values, varying};

/// The key of a rule, for comparing the rule with other rules.
pub(in crate::spec) struct RuleKey {
    /// The index of the rule under `registry` in the document. A rule for both views has two [`RuleKey`]s with this
    /// index.
    pub number: usize,
    /// The rule's key with its canonical name: for example, HKCR becomes `HKLM\SOFTWARE\Classes`. The key contains
    /// `{name}` in place of the data of an unset parameter `name`.
    pub key: KeyPattern,
    /// The canonical name of the key in upper case, as [`KeyPattern::folded`] returns it.
    pub folded: String,
}

/// Checks all rules of a spec, and reports their errors. Returns the rules that could be converted, and their keys in
/// the same order: also rules that only contradict another rule, or that contain one value name twice. A rule for both
/// views becomes two rules.
pub(super) fn rules(cx: &mut Context<'_>, from: &[document::KeyRule], path: &Path) -> (Vec<KeyRule>, Vec<RuleKey>) {
    let (mut out, mut rule_keys) = (Vec::new(), Vec::new());
    let mut add = |rule: KeyRule, compared: Option<&KeyPattern>, view: View, number: usize| {
        let rule = KeyRule { key: KeyPattern { view, ..rule.key }, ..rule };
        let key = match compared {
            Some(compared) => KeyPattern { view, ..compared.clone() }.one_name(),
            None => rule.key.one_name(),
        };
        rule_keys.push(RuleKey { number, folded: key.folded(), key });
        out.push(rule);
    };
    for (at, rule) in from.iter().enumerate() {
        let Some((checked, views)) = key_rule(cx, rule, &path.item(at)) else { continue };
        let Some((last, others)) = views.split_last() else { continue };
        let compared = varying::comparable(cx, rule, &checked.key);
        others.iter().for_each(|view| add(checked.clone(), compared.as_ref(), *view, at));
        add(checked, compared.as_ref(), *last, at);
    }
    // One rule cannot conflict with itself.
    if from.len() > 1 {
        duplicates(cx, from, &out, &rule_keys, path);
    }
    out.shrink_to_fit();
    (out, rule_keys)
}

fn key_rule(cx: &mut Context<'_>, rule: &document::KeyRule, path: &Path) -> Option<(KeyRule, &'static [View])> {
    let key_path = path.field("key");
    let mut key = keys::key(cx, &rule.key, rule.view.is_some(), &key_path);
    if let Some(key) = key.as_mut().filter(|_| rule.default_profile) {
        if key.root != RootKey::Hkcu {
            let message = "only a key below HKCU exists for each user";
            let hint = "remove `default_profile`, or write the key with HKCU";
            cx.error_at_name(Code::CONTRADICTION, &path.field("default_profile"), message, hint);
            return None;
        }
        key.default_profile = true;
    }
    let narrow = matches!(rule.view, Some(ViewChoice::Bits32 | ViewChoice::Both));
    keys::view_without_effect(cx, key.as_ref(), narrow, path);
    if let Some(key) = &key {
        keys::value_in_key(cx, key, rule.values.keys().map(String::as_str), &key_path);
    }
    cx.own_key = Some(key.clone());
    let when = rule.when.as_ref().map(|w| conditions::condition(cx, w, &path.field("when")));
    same_value_names(cx, rule, path);
    let done_when = rule
        .trigger
        .as_ref()
        .map(|trigger| conditions::condition(cx, &trigger.done_when, &path.field("trigger").field("done_when")));
    let label = Label::new(rule.id.as_ref(), rule.severity, rule.controls.as_deref()).map(Box::new);
    let mut values = Some(Vec::with_capacity(rule.values.len()));
    for (name, value) in &rule.values {
        let value_path = path.field("values").field(name);
        let value = values::value_rule(cx, name, value, &value_path);
        if let Some(condition) = value.as_ref().and_then(|value| value.when.as_deref()) {
            let both: Vec<&Condition> = when.iter().flatten().chain([condition]).collect();
            reach::dead_rule(cx, &both, &value_path.field("when"));
        }
        values = values.zip(value).map(|(mut values, mut value)| {
            value.label = value.label.map(|own| Box::new(own.within(label.as_deref())));
            values.push(value);
            values
        });
    }
    cx.own_key = None;
    if rule.trigger.is_some() && rule.exclusive.is_some() {
        let message = "a trigger is written once, but `exclusive` always applies";
        cx.error_at_name(Code::CONTRADICTION, &path.field("exclusive"), message, "remove `exclusive`, or `trigger`");
        return None;
    }
    if let (Some(key), Some(Some(when))) = (&key, &when) {
        let path = path.field("when");
        untied_star(cx, key, when, &path);
        reach::dead_rule(cx, &[when], &path);
    }
    let desired = match (rule.ensure, rule.values.is_empty()) {
        (Some(Ensure::Absent), true) => {
            if rule.exclusive.is_some() {
                let message = "a key with `ensure: absent` contains nothing, so `exclusive` has no effect";
                let hint = "remove `exclusive`, or `ensure: absent`";
                cx.error_at_name(Code::CONTRADICTION, &path.field("exclusive"), message, hint);
                return None;
            }
            if !keys::may_delete(cx, key.as_ref()?, &key_path) {
                return None;
            }
            DesiredKey::Absent(rule.on_subkeys.unwrap_or_default())
        }
        (Some(Ensure::Absent), false) => {
            let message = "a key that is absent has no values";
            cx.error_at_name(
                Code::CONTRADICTION,
                &path.field("values"),
                message,
                "remove `values`, or `ensure: absent`",
            );
            return None;
        }
        (_, true) => DesiredKey::Present,
        (_, false) => DesiredKey::Values(values?),
    };
    if rule.on_subkeys.is_some() && rule.ensure != Some(Ensure::Absent) {
        let message = "`on_subkeys` has no effect on a key that is not deleted";
        cx.error_at_name(
            Code::CONTRADICTION,
            &path.field("on_subkeys"),
            message,
            "remove `on_subkeys`, or add `ensure: absent`",
        );
        return None;
    }
    if rule.exclusive.is_some() && !keys::may_empty(cx, key.as_ref()?, &key_path) {
        return None;
    }
    let views: &[View] = match rule.view {
        None | Some(ViewChoice::Bits64) => &[View::Bits64],
        Some(ViewChoice::Bits32) => &[View::Bits32],
        Some(ViewChoice::Both) => &[View::Bits64, View::Bits32],
    };
    let when = match when {
        Some(when) => Some(Box::new(when?)),
        None => None,
    };
    let done_when = match done_when {
        Some(done_when) => Some(Box::new(done_when?)),
        None => None,
    };
    let must_exist = rule.ensure == Some(Ensure::Present) || desired == DesiredKey::Present;
    let exclusive = rule.exclusive;
    Some((KeyRule { key: key?, when, done_when, must_exist, desired, exclusive, label }, views))
}

/// Warns if a key in the `when` of a rule begins like the rule's key, up to its last `*`. Authors expect that the `*`
/// stands for the same name in both keys, but each `*` matches names independently.
fn untied_star(cx: &mut Context<'_>, key: &KeyPattern, when: &Condition, path: &Path) {
    let Some(last) = key.names.iter().rposition(|name| matches!(name, NamePattern::Like(_))) else { return };
    let same = |tested: &&KeyPattern| {
        tested.own.is_none() && tested.root == key.root && tested.names.starts_with(&key.names[..=last])
    };
    if let Some(tested) = when.keys().into_iter().find(same) {
        let below: Vec<String> = tested.names[last + 1..].iter().map(ToString::to_string).collect();
        let message = format!(
            "the condition is one test of all keys that match `{tested}`; if it is true, the rule applies to every key \
                that matches `{key}`"
        );
        let hint = match tested.names.strip_prefix(key.names.as_slice()) {
            Some([]) => "to test each key by itself, write `key: .`".to_owned(),
            Some(_) => format!(r"to test each key by itself, write `key: .\{}`", shorten(&below.join("\\"))),
            None => {
                "to test each key by itself, write the tested key as the key of the rule, and `key: .` here".to_owned()
            }
        };
        cx.warning(Code::STAR_IN_CONDITION, path, Part::Name, message, hint);
    }
}

/// Reports two value names in one rule that Windows treats as the same name.
fn same_value_names(cx: &mut Context<'_>, rule: &document::KeyRule, path: &Path) {
    if rule.values.len() < 2 {
        return;
    }
    let mut seen: HashMap<ValueName, &str> = HashMap::new();
    for name in rule.values.keys() {
        let Ok(value_name) = ValueName::new(name.clone()) else { continue };
        if let Some(first) = seen.insert(value_name, name) {
            let message = format!(
                "`{}` and `{}` are the same value: letter case is ignored in names",
                shorten(first),
                shorten(name)
            );
            let path = path.field("values").field(name);
            cx.error_at_name(Code::DUPLICATE_VALUE_NAME, &path, message, "keep one of them");
        }
    }
}

/// Reports two rules for the same key if they conflict, or if both always apply. `rules` and `rule_keys` are parallel
/// lists.
fn duplicates(cx: &mut Context<'_>, from: &[document::KeyRule], rules: &[KeyRule], rule_keys: &[RuleKey], path: &Path) {
    let mut seen: HashMap<&str, Vec<usize>> = HashMap::new();
    for (number, (rule, RuleKey { number: at, folded, .. })) in rules.iter().zip(rule_keys).enumerate() {
        let others = seen.entry(folded).or_default();
        for other in others.iter() {
            let (first, first_at) = (&rules[*other], &rule_keys[*other].number);
            // The two rules were made from one rule for both views, and the views share the key.
            if first_at == at {
                continue;
            }
            let both_conditional = first.is_conditional() && rule.is_conditional();
            let text = &from[*at].key;
            if !first.is_conditional() && !rule.is_conditional() {
                let line = cx.findings.line_of(&path.item(*first_at).field("key"));
                let message = format!("the key `{}` has two rules, the first in line {line}", shorten(text));
                let hint = "put the values of both under one rule";
                cx.error(Code::DUPLICATE_KEY, &path.item(*at).field("key"), message, hint);
                break;
            }
            if let Some(name) = (!both_conditional).then(|| at_odds(first, rule)).flatten() {
                let is_value = from[*at].values.contains_key(&name);
                let shown = if is_value { name.as_str() } else { text.as_str() };
                let message = format!("two rules require different states of {}", values::shown_name(shown));
                let path = path.item(*at);
                let value = path.field("values").field(&name);
                let path = if is_value { value } else { path.field("key") };
                let hint = format!("give this rule and rule {} a `when`, so that only one applies", first_at + 1);
                cx.error_at_name(Code::CONFLICTING_RULES, &path, message, hint);
                break;
            }
        }
        others.push(number);
    }
    absent_above(cx, rules, rule_keys, path);
    stars(cx, from, rules, rule_keys, path);
}

/// The maximum product of the number of rules with a `*` and the number of all rules. Above this limit, these rules are
/// not compared. When kbfix plans changes, it finds each conflict that exists on the machine.
pub(super) const MOST_PAIRS: usize = 1_000_000;

/// Warns about a rule with a `*` in its key that conflicts with another rule, if the two keys can be the same. This is
/// not an error, because a machine may not have a key that both rules match.
fn stars(cx: &mut Context<'_>, from: &[document::KeyRule], rules: &[KeyRule], rule_keys: &[RuleKey], path: &Path) {
    let each = || rules.iter().zip(rule_keys);
    let with_star: Vec<_> = each().filter(|(rule, _)| rule.key.has_star()).collect();
    if with_star.len().saturating_mul(rules.len()) > MOST_PAIRS {
        return;
    }
    for (rule, RuleKey { number: at, key, folded }) in with_star {
        let meets = |(other, place): &(&KeyRule, &RuleKey)| {
            // Two rules with a star are compared only once. Two rules for the same key are reported elsewhere.
            let is_second = !other.key.has_star() || place.number < *at;
            is_second && place.number != *at && key.may_meet(&place.key) && place.folded != *folded
        };
        for (other, RuleKey { number: other_at, .. }) in each().filter(meets) {
            let exclusive = rule.is_conditional() && other.is_conditional();
            let Some(name) = (!exclusive).then(|| at_odds(other, rule)).flatten() else { continue };
            let line = cx.findings.line_of(&path.item(*other_at).field("key"));
            let is_value = from[*at].values.contains_key(&name);
            let what = if is_value { format!("{} in a key", values::shown_name(&name)) } else { "a key".to_owned() };
            let message = match other.key.has_star() {
                true => format!(
                    "two rules require different states of {what} that matches both `{}` and `{}` (line {line})",
                    rule.key, other.key
                ),
                false => format!(
                    "two rules require different states of {what}: `{}` can also match `{}` (line {line})",
                    rule.key, other.key
                ),
            };
            let path = path.item(*at);
            let value = path.field("values").field(&name);
            let path = if is_value { value } else { path.field("key") };
            cx.warning(
                Code::CONFLICTING_RULES,
                &path,
                super::Part::Name,
                message,
                "give both rules a `when`, so that only one of the rules applies",
            );
            break;
        }
    }
}

/// Compares two rules that can be for the same key. Returns the name of the first value for which they require
/// different states, or the key if they require different states of the key itself. Returns `None` if they do not
/// conflict. Two rules for a value that both have a `when` do not count as a conflict.
fn at_odds(first: &KeyRule, second: &KeyRule) -> Option<String> {
    match (&first.desired, &second.desired) {
        (DesiredKey::Values(a), DesiredKey::Values(b)) => {
            let by_name: HashMap<&ValueName, _> = a.iter().map(|v| (&v.name, v)).collect();
            b.iter().find_map(|second| {
                let first = by_name.get(&second.name)?;
                let exclusive = first.when.is_some() && second.when.is_some();
                (!exclusive && !first.may_agree_with(second)).then(|| second.name.to_string())
            })
        }
        (DesiredKey::Absent(_), DesiredKey::Absent(_))
        | (DesiredKey::Present | DesiredKey::Values(_), DesiredKey::Present) => None,
        (DesiredKey::Present, DesiredKey::Values(_)) => None,
        (DesiredKey::Absent(_), _) => denies(first, second).then(|| second.key.to_string()),
        (_, DesiredKey::Absent(_)) => denies(second, first).then(|| second.key.to_string()),
    }
}

/// Returns whether the rule `absent` requires the absence of a key that `other` needs. If `absent` has a condition or
/// is a trigger, values of `other` with a `when` do not count, because `absent` and this `when` may exclude each other.
pub(super) fn denies(absent: &KeyRule, other: &KeyRule) -> bool {
    if absent.is_conditional() { other.needs_key() } else { other.may_need_key() }
}

/// Reports a rule whose key is below a key that another rule requires to be absent. Two rules that both have conditions
/// are not reported, because perhaps only one of them applies to a machine.
fn absent_above(cx: &mut Context<'_>, rules: &[KeyRule], rule_keys: &[RuleKey], path: &Path) {
    let (absent, others): (Vec<_>, Vec<_>) =
        rules.iter().zip(rule_keys).partition(|(rule, _)| rule.desired.is_absent());
    for (rule, RuleKey { number: at, key, .. }) in others {
        let is_below = |(above, place): &&(&KeyRule, &RuleKey)| {
            keys::is_within(key, &place.key)
                && key.names.len() > place.key.names.len()
                && match (rule.is_conditional(), above.is_conditional()) {
                    (true, true) => false,
                    (false, false) => true,
                    _ => denies(above, rule),
                }
        };
        if let Some((above, _)) = absent.iter().find(is_below) {
            let message = format!("`{}` is below `{}`, which must be absent", rule.key, above.key);
            let hint = match rule.is_conditional() || above.is_conditional() {
                true => "give both rules a `when`, so that only one of the rules applies",
                false => "keep one of the two rules",
            };
            cx.error(Code::CONFLICTING_RULES, &path.item(*at).field("key"), message, hint);
        }
    }
}
