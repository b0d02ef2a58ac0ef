//! Warns about the values whose required state Group Policy will undo or may undo.

use std::slice;

use crate::{
    diag::{Code, Diagnostic, Hint, number_of, text::first_few},
    plan::{Plan, PolicyOwner, PolicyResult, PolicyUnread, SpecPlan},
    registry::Key,
    targets::{Facts, PolicyScope, PolicyStores, Reason, Target, USERS_POLICY},
};

/// The highest number of entries that a message lists. If there are more, the message says how many more.
const MOST: usize = 5;

/// Returns one warning for each spec with values whose state Group Policy will undo, and one warning for all values
/// whose state Group Policy may undo. Also warns if Windows does not process the policy file of the target, or if this
/// is not known; but not if the plan changes this file, because Windows then processes it.
pub(super) fn warnings(plan: &Plan, target: &dyn Target) -> Vec<Diagnostic> {
    let is_written = |key: &Key| !target.through_policy() || key.policy_branch().is_some();
    let unprocessed = match plan.changes().any(|change| is_written(&change.key)) {
        true => Ok(None),
        false => target.unprocessed_policy(),
    };
    let hint = match unprocessed {
        Ok(_) => {
            "correct gpt.ini; or save any change of this policy in the Group Policy editor, which then corrects gpt.ini"
        }
        Err(_) => "check that gpt.ini is a file that you may read, and that its `Version` is a number",
    };
    let unprocessed = unprocessed.unwrap_or_else(Some);
    let unprocessed = unprocessed.map(|message| Diagnostic::warning(Code::POLICY_NOT_PROCESSED, message).hint(hint));
    let owned = plan.specs.iter().filter_map(|spec| {
        let hint = "change the policy, because a change of the registry alone does not last";
        let message = format!("{}: {}", spec.id, owned(spec)?);
        Some(Diagnostic::warning(Code::POLICY_OWNED, message).hint(hint))
    });
    // A plan that retires specs contains nothing about policy stores.
    let unknown = plan.retires.is_none().then(|| unknown(&plan.specs, &plan.facts, target)).flatten();
    let unknown = unknown.map(|(message, hint)| Diagnostic::warning(Code::POLICY_UNKNOWN, message).hint(hint));
    unprocessed.into_iter().chain(owned).chain(unknown).collect()
}

/// Returns a diagnostic if values are changed through the local GPO of the target, but specs require values in the
/// policy branches of users (HKCU), which kbfix cannot change there. `severity` makes this diagnostic an error or a
/// warning.
pub(super) fn of_users(
    plan: &Plan,
    target: &dyn Target,
    severity: fn(Code, String) -> Diagnostic,
) -> Option<Diagnostic> {
    let has = |spec: &&SpecPlan| spec.reasons.iter().any(|reason| reason.contains(USERS_POLICY));
    let ids = plan.specs.iter().filter(has).map(|spec| &*spec.id);
    if !target.through_policy() || ids.clone().next().is_none() {
        return None;
    }
    let message = format!("{} cannot be applied as a whole: {USERS_POLICY}", first_few(ids));
    let hint = Hint::new(
        "put the rules below HKCU into a spec of their own, and apply it to the User\\Registry.pol of the local GPO \
            (`pol:FILE=HKCU`); or leave out the option, so that plain registry values are written",
    );
    Some(severity(Code::POLICY_OF_USERS, message).hint(hint.bare_option("through-policy")))
}

/// Returns the warnings that Group Policy will or may undo values of one spec. Each warning is a code and a sentence.
pub(crate) fn notes(spec: &SpecPlan, facts: &Facts, target: &dyn Target) -> Vec<(Code, String)> {
    let owned = owned(spec).map(|text| (Code::POLICY_OWNED, text));
    let unknown = unknown(slice::from_ref(spec), facts, target).map(|(text, _)| (Code::POLICY_UNKNOWN, text));
    owned.into_iter().chain(unknown).collect()
}

fn owned(spec: &SpecPlan) -> Option<String> {
    let owners: Vec<&PolicyOwner> = with(spec, PolicyResult::Undoes).collect();
    if owners.is_empty() {
        return None;
    }
    let values = number_of(values(&owners), "value");
    let places = listed(owners.iter().map(|owner| format!("{}: {}", owner.place(), owner.sentence())), owners.len());
    Some(format!("a later refresh of Group Policy undoes this spec for {values}: {places}"))
}

fn unknown(specs: &[SpecPlan], facts: &Facts, target: &dyn Target) -> Option<(String, Hint)> {
    let message = |what: String| format!("it is not known whether Group Policy undoes the changes: {what}");
    let stores = target.policy_stores();
    if stores != PolicyStores::Elsewhere && !facts.has_policies() && specs.iter().any(asks_for_values) {
        let not_taken = stores == PolicyStores::NotTaken;
        let what = if not_taken {
            "the snapshot was taken without policy stores"
        } else {
            "the plan was made without policy stores"
        };
        let hint = if not_taken { "take a new snapshot" } else { "make a new plan" };
        return Some((message(what.to_owned()), hint.into()));
    }
    let mut unread: Vec<PolicyUnread> = Vec::new();
    for one in specs.iter().flat_map(|spec| &spec.policy_unread) {
        match unread.iter_mut().find(|known| known.path == one.path && known.why == one.why) {
            Some(known) => known.values += one.values,
            None => unread.push(one.clone()),
        }
    }
    let perhaps: Vec<&PolicyOwner> = specs.iter().flat_map(|spec| with(spec, PolicyResult::MayUndo)).collect();
    let of_stores =
        unread.iter().map(|one| format!("{} ({} of the specs)", reason(one), number_of(one.values, "value")));
    let of_groups = perhaps.iter().map(|owner| format!("{}: {}", owner.place(), owner.sentence()));
    let count = unread.len() + perhaps.len();
    let all: Vec<String> = of_stores.chain(of_groups).collect();
    let hint = match unread.iter().any(|one| one.why.reason == Reason::Denied) {
        true => "run kbfix as an account that may read the policy store, or check these values with gpresult",
        false => "check these values with gpresult while this Windows runs",
    };
    (count > 0).then(|| (message(listed(all, count)), hint.into()))
}

/// Returns the reason why a policy store could not be read, with the path of the store if it is known.
fn reason(one: &PolicyUnread) -> String {
    match &one.path {
        Some(path) if !one.why.detail.contains(path.as_str()) => format!("{path}: {}", one.why),
        _ => one.why.to_string(),
    }
}

fn with(spec: &SpecPlan, result: PolicyResult) -> impl Iterator<Item = &PolicyOwner> {
    spec.policy.iter().filter(move |owner| owner.result == result)
}

/// Returns the number of different values that these settings of policy stores set. Several stores can set the same
/// value.
fn values(owners: &[&PolicyOwner]) -> usize {
    owners.iter().map(|owner| (&owner.key, &owner.name)).collect::<std::collections::BTreeSet<_>>().len()
}

fn listed(all: impl IntoIterator<Item = String>, count: usize) -> String {
    let shown: Vec<String> = all.into_iter().take(MOST).collect();
    let more = if count > MOST { format!("; and {} more", count - MOST) } else { String::new() };
    format!("{}{more}", shown.join("; "))
}

/// Returns whether the spec requires a value that Group Policy could set.
fn asks_for_values(spec: &SpecPlan) -> bool {
    let is_of_policy = |key: &Key| PolicyScope::of(key).is_some();
    spec.changes.iter().any(|change| !change.values.is_empty() && is_of_policy(&change.key))
        || spec.satisfied.iter().any(|one| one.name.is_some() && is_of_policy(&one.key))
}
