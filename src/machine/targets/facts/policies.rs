//! The facts about policy stores.

use std::sync::Arc;

use crate::{
    registry::{Key, ValueName, notation},
    targets::{Answer, PolicyEffect, PolicyFacts, PolicyQuery, PolicyScope, PolicySetting, StoreAnswer, StoreFacts},
};

use super::{Drift, Facts};

impl Facts {
    /// Adds the answers of the policy stores of one scope.
    pub fn record_policies(&mut self, answer: PolicyFacts) {
        match self.policies.get_mut(&answer.scope) {
            Some(known) => Arc::make_mut(known).add(answer),
            None => drop(self.policies.insert(answer.scope.clone(), Arc::new(answer))),
        }
    }

    /// Returns whether any policy store was queried.
    pub fn has_policies(&self) -> bool {
        !self.policies.is_empty()
    }

    /// Returns, for a value, the answer of each policy store that has a setting for this value or could not be read.
    ///
    /// Returns `None` if kbfix did not query the value, and an error if the target could not answer the query, for
    /// example because it is a snapshot without the answer.
    pub fn policies(&self, key: &Key, name: &ValueName) -> Option<Result<Vec<StoreAnswer<'_>>, ()>> {
        self.policies.get(&PolicyScope::of(key)?)?.answers(key, name)
    }

    /// Returns the queries about policy stores that these facts answer.
    pub fn policy_questions(&self) -> Vec<PolicyQuery> {
        self.policies.values().map(|facts| facts.question()).collect()
    }

    /// Answers a query about policy stores from these facts. Values that the facts do not cover are in the `uncovered`
    /// of the answer.
    pub(in crate::targets) fn policies_of(&self, query: &PolicyQuery) -> PolicyFacts {
        match self.policies.get(&query.scope) {
            Some(facts) => facts.part(query.clone()),
            None => PolicyFacts::not_covered(query.clone()),
        }
    }

    pub(super) fn hide_policies(&mut self, key: &Key, name: &ValueName) {
        let facts = PolicyScope::of(key).and_then(|scope| self.policies.get_mut(&scope));
        if let Some(facts) =
            facts.filter(|facts| facts.answers(key, name).is_some_and(|told| told.is_ok_and(|told| !told.is_empty())))
        {
            Arc::make_mut(facts).hide(key, name);
        }
    }

    /// Compares the settings of policy stores with newer answers to the same queries, and adds the differences to
    /// `moved`. Only the settings of the queried values are compared, not the rest of the stores' files. A value that
    /// the newer answers do not cover is a difference, because it is not known whether a store sets the value now.
    pub(super) fn policies_moved(&self, now: &Self, moved: &mut Vec<Drift>) {
        for (scope, was) in &self.policies {
            let none = PolicyFacts::not_covered(was.question());
            let is = now.policies.get(scope).map_or(&none, |is| is);
            let both = was.part(PolicyQuery { scope: scope.clone(), values: is.asked.clone() });
            for store in &was.stores {
                let other = is.stores.iter().find(|other| other.store == store.store);
                compare(store, other, &both, moved);
            }
            for store in &is.stores {
                if was.stores.iter().all(|known| known.store != store.store) {
                    let silent = StoreFacts { found: Answer::Absent, ..store.clone() };
                    compare(&silent, Some(store), &both, moved);
                }
            }
            // If no store was read again, each store is already a difference.
            if !is.stores.is_empty() || was.stores.is_empty() {
                for (key, name) in was.asked().filter(|(key, name)| !is.has_asked(key, name)) {
                    let place = format!("{key} {} in the policy stores", notation::value_name(name));
                    moved.push(Drift { place, was: "read".to_owned(), is: "not read again".to_owned() });
                }
            }
        }
    }

    /// Compares the settings of policy stores with newer facts, and adds the differences to `changed`. Only values that
    /// both sets of facts contain are compared.
    pub(super) fn policies_changed(&self, now: &Self, changed: &mut Vec<Drift>) {
        for (scope, was) in &self.policies {
            let Some(is) = now.policies.get(scope) else { continue };
            let both = was.part(PolicyQuery { scope: scope.clone(), values: is.asked.clone() });
            for store in &both.stores {
                let other = is.stores.iter().find(|other| other.store == store.store);
                let is_unread = |store: &StoreFacts| matches!(store.found, Answer::Unread(_));
                if other.is_some_and(|other| !is_unread(other) && !is_unread(store)) {
                    compare(store, other, &both, changed);
                }
            }
        }
    }
}

/// Compares two states of a policy store. Adds to `moved` each queried value whose setting differs; or only the store
/// itself if it was read in just one of the states, or could not be read for different reasons.
fn compare(was: &StoreFacts, is: Option<&StoreFacts>, asked: &PolicyFacts, moved: &mut Vec<Drift>) {
    let unread = |store: &StoreFacts| match &store.found {
        Answer::Unread(why) => Some(why.clone()),
        _ => None,
    };
    let (was_unread, is_unread) = (unread(was), is.and_then(unread));
    if was_unread != is_unread || is.is_none() {
        let text =
            |why: Option<crate::targets::Unread>| why.map_or_else(|| "read".to_owned(), |why| why.after(&was.path));
        let is = if is.is_some() { text(is_unread) } else { "not read again".to_owned() };
        moved.push(Drift { place: was.path.clone(), was: text(was_unread), is });
        return;
    }
    if was_unread.is_some() {
        return;
    }
    let [none, settings] = [Vec::new(), Vec::new()];
    let of = |store: &'_ StoreFacts| match &store.found {
        Answer::Present(settings) => settings.clone(),
        _ => none.clone(),
    };
    let (was_says, is_says) = (of(was), is.map_or(settings, of));
    for (key, name) in asked.asked() {
        let [was_says, is_says] =
            [&was_says, &is_says].map(|settings| crate::targets::policy::setting(settings, key, name));
        let same = match (was_says, is_says) {
            (Some(was), Some(is)) => was.does_as(is),
            (None, None) => true,
            _ => false,
        };
        if !same {
            let hidden = [was_says, is_says].into_iter().flatten().any(|one| one.sensitive);
            let place = format!("{key} {} in {}", notation::value_name(name), was.path);
            moved.push(Drift { place, was: text(was_says, hidden), is: text(is_says, hidden) });
        }
    }
}

/// Returns a text for the setting of a policy store for a value; `None` means that the store has no such setting. If
/// `is_hidden`, the text does not contain the bytes of the data.
fn text(setting: Option<&PolicySetting>, is_hidden: bool) -> String {
    let Some(setting) = setting else { return "not set".to_owned() };
    let data = notation::message(setting.data.as_ref(), is_hidden);
    match setting.effect {
        PolicyEffect::Set => format!("set to {data}"),
        PolicyEffect::SetIfAbsent => format!("set to {data} if absent"),
        PolicyEffect::Delete => "deleted".to_owned(),
    }
}
