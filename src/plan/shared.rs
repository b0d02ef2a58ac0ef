//! Plans specs on many machines. A spec is planned only once for all machines that give the same answers to its
//! queries.
//!
//! The plan of a spec follows from four things: the spec, the answers to its queries, the changes that earlier specs of
//! the run plan, and the requirements of these specs. While a spec is planned, its queries are recorded. For another
//! machine, these queries are answered first. If all answers are the same, and the earlier specs have the same plans as
//! far as this spec depends on them, then the spec has the same plan on this machine.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::{Arc, OnceLock, PoisonError, RwLock},
};

use sha2::{Digest as _, Sha256};

use super::{
    SpecPlan,
    build::{Among, among},
    desired_state::DesiredState,
    earlier::Earlier,
    gate::counts,
};
use crate::{
    observe::{AnswerDigest, Query, Reader, Reads},
    registry::Key,
    spec::Spec,
    targets::{ChangeAction, Facts},
};

/// The maximum number of different lists of queries that are kept for one spec. A spec has several lists if its queries
/// depend on the answers to earlier queries. If there are more, the oldest list is dropped with its plans.
const MOST_LISTS: usize = 16;
/// The maximum number of plans that are kept for one list of queries. If there are more, the plan differs on most
/// machines, so that sharing saves nothing, and the kept plans are dropped.
const MOST_PLANS: usize = 256;

/// The plans of a list of specs, which many machines share.
pub(crate) struct SharedPlans<'a> {
    specs: &'a [Spec],
    state: RwLock<State<'a>>,
}

#[derive(Default)]
struct State<'a> {
    /// For each query, its number, which is its index in `queries`.
    numbers: HashMap<Query, usize>,
    queries: Vec<Query>,
    /// For each spec, the lists of queries that were made to plan the spec on some machine. Each list has the plans
    /// that resulted from the answers.
    specs: Vec<Vec<Known<'a>>>,
    /// The number of plans that were made so far. It is also the id of the latest plan.
    plans: usize,
}

/// The queries that kbfix made when it planned one spec on some machines, and the plans that resulted from the answers
/// of these machines.
struct Known<'a> {
    /// The numbers of the queries, as in [`State::numbers`].
    queries: Arc<[usize]>,
    /// The keys of the queries, and all keys above them.
    keys: HashSet<Key>,
    by_answers: HashMap<AnswerDigest, Changing<'a>>,
}

/// The plans of a spec for the same answers. There can be several, because earlier specs with other requirements can
/// refuse the changes of the spec.
struct Changing<'a> {
    /// The keys that the spec would change if earlier specs required nothing, and all keys above them.
    changed: Vec<Key>,
    by_earlier: HashMap<AnswerDigest, Arc<SharedPlan<'a>>>,
}

/// The plan of one spec, which is the same on many machines.
pub(crate) struct SharedPlan<'a> {
    /// The number of this plan: plans of all specs are numbered in the order in which they were made.
    pub(crate) id: usize,
    pub(crate) plan: SpecPlan,
    wants: DesiredState<'a>,
    reads: Option<Reads>,
    /// The numbers of the queries on whose answers the plan depends.
    queries: Arc<[usize]>,
    /// The keys that the plan creates, changes or deletes. The parent of a key that is created or deleted is included,
    /// because its list of subkeys changes.
    touched: Vec<Key>,
    /// The keys in which the spec requires something. If a key of its rules has a `*`, also all keys that were queried
    /// to plan the spec.
    minded: Vec<Key>,
}

/// The answers of one machine to queries.
pub(crate) struct Answers<'m> {
    facts: &'m Facts,
    with_policies: bool,
    digests: Vec<Option<AnswerDigest>>,
}

impl<'m> Answers<'m> {
    /// Returns the answers of a machine. `facts` contains everything that is known about the machine. `with_policies`
    /// is true if `facts` contains the settings of policy stores.
    pub(crate) fn new(facts: &'m Facts, with_policies: bool) -> Self {
        Self { facts, with_policies, digests: Vec::new() }
    }

    /// Returns the digest of the machine's answer to `query`, whose number is `number`.
    fn digest(&mut self, number: usize, query: &Query) -> AnswerDigest {
        if self.digests.len() <= number {
            self.digests.resize(number + 1, None);
        }
        *self.digests[number].get_or_insert_with(|| query.answer(self.facts))
    }
}

/// The effect of the earlier specs of a run on a later spec, as one digest for each key that the earlier specs change,
/// or in which they require something.
#[derive(Default)]
struct Walk {
    touched: Marks,
    minded: Marks,
}

/// Keys that the plans of specs have marked, in the order in which they were first marked. Each key has a digest of the
/// ids of the plans that marked it.
#[derive(Default)]
struct Marks {
    places: HashMap<Key, usize>,
    digests: Vec<(Key, AnswerDigest)>,
}

impl Marks {
    fn mark(&mut self, key: &Key, id: usize) {
        let at = *self.places.entry(key.clone()).or_insert_with(|| {
            self.digests.push((key.clone(), AnswerDigest::default()));
            self.digests.len() - 1
        });
        let digest = &mut self.digests[at].1;
        let mut all = Sha256::new_with_prefix(&digest);
        all.update(id.to_le_bytes());
        *digest = all.finalize().into();
    }
}

impl Walk {
    fn apply(&mut self, plan: &SharedPlan<'_>) {
        plan.touched.iter().for_each(|key| self.touched.mark(key, plan.id));
        if counts(plan.plan.outcome) {
            plan.minded.iter().for_each(|key| self.minded.mark(key, plan.id));
        }
    }

    /// Returns the digest of the answers to all queries of a list, and of the changes of earlier specs in the keys of
    /// these queries.
    fn answers(&self, known: &Known<'_>, queries: &[Query], answers: &mut Answers<'_>) -> AnswerDigest {
        let mut all = Sha256::new_with_prefix([u8::from(answers.with_policies)]);
        known.queries.iter().for_each(|number| all.update(answers.digest(*number, &queries[*number])));
        // A digest stands for its key as well, because a plan always marks the same keys.
        let touched = self.touched.digests.iter().filter(|(key, _)| known.keys.contains(key));
        touched.for_each(|(_, digest)| all.update(digest));
        all.finalize().into()
    }

    /// Returns the digest of everything that earlier specs require in these keys.
    fn earlier(&self, changed: &[Key]) -> AnswerDigest {
        let mut all = Sha256::new();
        for (at, key) in changed.iter().enumerate() {
            if let Some(place) = self.minded.places.get(key) {
                all.update(at.to_le_bytes());
                all.update(self.minded.digests[*place].1);
            }
        }
        all.finalize().into()
    }
}

impl<'a> SharedPlans<'a> {
    /// Returns an empty collection for the plans of these specs. Returns `None` if a spec has sensitive values, because
    /// such values also affect the plans of the other specs.
    pub(crate) fn new(specs: &'a [Spec]) -> Option<Self> {
        let is_sensitive =
            |spec: &Spec| spec.rules.iter().flat_map(|rule| rule.values()).any(|value| value.is_sensitive);
        let known = specs.iter().map(|_| Vec::new()).collect();
        let state = RwLock::new(State { specs: known, ..State::default() });
        (!specs.iter().any(is_sensitive)).then_some(Self { specs, state })
    }

    /// Returns the plans of the specs for a machine, in the order of the specs; `None` if one of them was not made yet,
    /// or is no longer kept.
    pub(crate) fn known(&self, answers: &mut Answers<'_>) -> Option<Vec<Arc<SharedPlan<'a>>>> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let mut walk = Walk::default();
        let one = |at| {
            let plan = state.find(at, &walk, answers)?;
            walk.apply(&plan);
            Some(plan)
        };
        (0..self.specs.len()).map(one).collect()
    }

    /// Returns the plans of the specs for a machine, in the order of the specs. Makes those that are not known yet, and
    /// keeps them for other machines. Returns `None` if the facts of the machine lack a fact that a spec needs.
    pub(crate) fn plan(&self, answers: &mut Answers<'_>) -> Option<Vec<Arc<SharedPlan<'a>>>> {
        let reader = Reader::new(answers.facts).with_policies(answers.with_policies);
        let mut walk = Walk::default();
        let plans: Vec<OnceLock<Arc<SharedPlan<'a>>>> = self.specs.iter().map(|_| OnceLock::new()).collect();
        let mut earlier = Earlier::default();
        for (at, (spec, cell)) in self.specs.iter().zip(&plans).enumerate() {
            let known = self.state.read().unwrap_or_else(PoisonError::into_inner).find(at, &walk, answers);
            let plan = match known {
                Some(plan) => {
                    plan.plan.changes.iter().for_each(|change| reader.pretend(change));
                    plan
                }
                None => {
                    let (made, queries) = reader.traced(|| among(spec, self.specs.len(), &earlier, &reader));
                    if reader.missed_count() > 0 {
                        return None;
                    }
                    self.keep(at, made, queries, &walk, answers)
                }
            };
            reader.planned_for(&spec.id, &plan.plan.changes);
            walk.apply(&plan);
            let plan = cell.get_or_init(|| plan);
            if counts(plan.plan.outcome) {
                earlier.add(spec, &plan.wants, plan.reads.as_ref());
            }
        }
        drop(earlier);
        Some(plans.into_iter().filter_map(OnceLock::into_inner).collect())
    }

    /// Returns the queries on whose answers these plans depend.
    pub(crate) fn queries(&self, plans: &[Arc<SharedPlan<'a>>]) -> Vec<Query> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        numbers(plans).into_iter().map(|number| state.queries[number].clone()).collect()
    }

    /// Returns, for each of two machines, those queries on which its plans depend and to which the two machines give
    /// different answers.
    ///
    /// The other machine need not have answers to these queries, because its snapshot may have been taken for fewer
    /// specs.
    pub(crate) fn differing(&self, machines: [(Answers<'_>, Vec<Arc<SharedPlan<'a>>>); 2]) -> [Vec<Query>; 2] {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let [(mut old, before), (mut new, after)] = machines;
        let mut differing = |plans: &[Arc<SharedPlan<'_>>]| {
            let differs = |number: &usize| {
                let query = &state.queries[*number];
                old.digest(*number, query) != new.digest(*number, query)
            };
            let numbers = numbers(plans).into_iter().filter(differs);
            numbers.map(|number| state.queries[number].clone()).collect()
        };
        [differing(&before), differing(&after)]
    }

    /// Keeps a new plan, and returns it. If another thread has kept the same plan in the meantime, returns that one
    /// instead.
    fn keep(
        &self,
        at: usize,
        made: Among<'a>,
        queries: Vec<Query>,
        walk: &Walk,
        answers: &mut Answers<'_>,
    ) -> Arc<SharedPlan<'a>> {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let State { numbers, queries: all, specs, plans } = &mut *state;
        let mut number = |query: Query| {
            *numbers.entry(query).or_insert_with_key(|query| {
                all.push(query.clone());
                all.len() - 1
            })
        };
        let mut queries: Vec<usize> = queries.into_iter().map(&mut number).collect();
        queries.sort_unstable();
        let queries: Arc<[usize]> = queries.into();
        let lists = &mut specs[at];
        let place = lists.iter().position(|known| known.queries == queries).unwrap_or_else(|| {
            if lists.len() == MOST_LISTS {
                lists.remove(0);
            }
            let keys = with_parents(queries.iter().filter_map(|number| all[*number].key())).into_iter().collect();
            lists.push(Known { queries, keys, by_answers: HashMap::new() });
            lists.len() - 1
        });
        let known = &mut lists[place];
        let digest = walk.answers(known, all, answers);
        if known.by_answers.values().map(|changing| changing.by_earlier.len()).sum::<usize>() >= MOST_PLANS {
            known.by_answers.clear();
        }
        let Among { plan, wants, reads, changed } = made;
        let changing = known
            .by_answers
            .entry(digest)
            .or_insert_with(|| Changing { changed: with_parents(changed.iter()), by_earlier: HashMap::new() });
        let plan = changing.by_earlier.entry(walk.earlier(&changing.changed)).or_insert_with(|| {
            *plans += 1;
            Arc::new(SharedPlan::new(*plans, plan, wants, reads, known.queries.clone()))
        });
        plan.clone()
    }
}

impl<'a> State<'a> {
    /// Returns the plan of the spec with index `at` for a machine; `None` if this plan was not made yet, or is no
    /// longer kept.
    fn find(&self, at: usize, walk: &Walk, answers: &mut Answers<'_>) -> Option<Arc<SharedPlan<'a>>> {
        self.specs[at].iter().find_map(|known| {
            let changing = known.by_answers.get(&walk.answers(known, &self.queries, answers))?;
            changing.by_earlier.get(&walk.earlier(&changing.changed)).cloned()
        })
    }
}

impl<'a> SharedPlan<'a> {
    fn new(id: usize, plan: SpecPlan, wants: DesiredState<'a>, reads: Option<Reads>, queries: Arc<[usize]>) -> Self {
        let mut touched = Vec::new();
        for change in &plan.changes {
            touched.push(change.key.clone());
            if change.action != ChangeAction::Update {
                touched.extend(change.key.parent());
            }
        }
        let minded = wants.present.iter().chain(&wants.absent).chain(wants.exclusive.keys()).chain(wants.values.keys());
        let minded = minded.chain(reads.iter().flat_map(Reads::keys)).cloned().collect();
        Self { id, plan, wants, reads, queries, touched, minded }
    }
}

/// Returns the numbers of the queries on which these plans depend, each once.
fn numbers(plans: &[Arc<SharedPlan<'_>>]) -> BTreeSet<usize> {
    plans.iter().flat_map(|plan| plan.queries.iter().copied()).collect()
}

/// Returns these keys and all keys above them, each once.
fn with_parents<'k>(keys: impl Iterator<Item = &'k Key>) -> Vec<Key> {
    let (mut known, mut all) = (HashSet::new(), Vec::new());
    for key in keys {
        for above in std::iter::successors(Some(key.clone()), Key::parent) {
            if !known.insert(above.clone()) {
                break;
            }
            all.push(above);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        observe::observe,
        plan::Planning,
        spec::{Settings, Source, load_all},
        targets::{Address, open},
    };

    /// The facts of a machine with these values, as the specs need them.
    fn facts(specs: &[Spec], values: &str) -> Facts {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("machine.reg");
        let text = format!("REGEDIT4\r\n\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Vendor]\r\n{values}");
        std::fs::write(&file, text).unwrap();
        let mut target = open(&Address::new(&format!("reg:{}", file.display()), None, None).unwrap()).unwrap();
        let mut planning = Planning::new("x", specs);
        observe(target.as_mut(), |reader| planning.ask(reader)).unwrap()
    }

    #[test]
    fn a_plan_is_shared_as_long_as_what_its_spec_reads_is_the_same() {
        let spec = |name: &str| {
            format!(
                "kbfix: 1\nid: {name}\ntitle: t\nregistry:\n  - key: HKLM\\SOFTWARE\\Vendor\n    values: {{ {name}: {{ type: REG_DWORD, data: 1 }} }}\n"
            )
        };
        let texts = ["A", "B", "C"].map(spec);
        let sources: Vec<_> = texts.iter().map(|text| Source { name: "x.yaml", bytes: text.as_bytes() }).collect();
        let specs = load_all(&sources, &Settings::for_validation()).into_specs().unwrap();
        let shared = SharedPlans::new(&specs[..2]).unwrap();
        let ids = |values: &str| -> (bool, Vec<usize>) {
            let facts = facts(&specs, values);
            let mut answers = Answers::new(&facts, false);
            let is_known = shared.known(&mut answers).is_some();
            (is_known, shared.plan(&mut answers).unwrap().iter().map(|plan| plan.id).collect())
        };
        let (is_known, first) = ids("\"A\"=dword:00000002\r\n");
        assert!(!is_known);
        // A value that neither spec reads does not change the plan.
        assert_eq!(ids("\"A\"=dword:00000002\r\n\"C\"=dword:00000007\r\n"), (true, first.clone()));
        let (is_known, second) = ids("\"A\"=dword:00000002\r\n\"B\"=dword:00000001\r\n");
        assert!(!is_known && second[0] == first[0] && second[1] != first[1]);
        // If facts are missing, there is no plan.
        let facts = Facts::default();
        assert!(shared.plan(&mut Answers::new(&facts, false)).is_none());
    }
}
