//! Builds the article of a spec.

use crate::{
    convert::import::AS_SPEC,
    spec::{
        Spec,
        document::{Allowed, ComputerRestart, Literal, ManualStep, Parameter, Scalar, SourceLevel, StepOrder, Symptom},
        model::Prerequisite,
    },
};

use super::{Article, Block, Item, Section, conditions, registry};
use crate::render::symptoms;

/// Returns a spec as an article for people, without sections that would be empty.
pub fn article(spec: &Spec) -> Article {
    let document = &spec.document;
    let mut sections = Vec::new();
    let mut add = |heading: &'static str, blocks: Vec<Block>| {
        let empty = |block: &Block| match block {
            Block::Text(text) | Block::Code(text) => text.is_empty(),
            Block::List(items) => items.is_empty(),
        };
        let blocks: Vec<Block> = blocks.into_iter().filter(|block| !empty(block)).collect();
        if !blocks.is_empty() {
            sections.push(Section { heading, blocks });
        }
    };
    add("About", vec![Block::List(about(spec))]);
    add("Why", vec![Block::Text(document.summary.as_deref().map(paragraph).unwrap_or_default())]);
    add("Symptoms", vec![Block::List(document.symptoms.iter().map(symptom).collect())]);
    add("Where it applies", where_it_applies(spec));
    add("The cause", vec![Block::List(cause(spec))]);
    add("Prerequisites", vec![Block::List(prerequisites(spec))]);
    add("Hotfix", hotfix(spec));
    add("Parameters", vec![Block::List(document.parameters.iter().map(|(n, p)| parameter(n, p, spec)).collect())]);
    add("Changes in the registry", vec![Block::Code(registry::rules(spec))]);
    add("Steps to do by hand", by_hand(spec));
    add("Restart", vec![Block::List(restart(spec))]);
    add("How to apply and undo", undo(spec));
    add("Notes", vec![Block::List(document.notes.iter().map(|text| note(text)).collect())]);
    add("Sources", vec![Block::List(document.sources.iter().map(source).collect())]);
    Article { id: spec.id.clone(), title: spec.title.clone(), sections }
}

/// Joins the lines of a text with spaces. The author of the spec broke these lines only to keep them short.
fn paragraph(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn about(spec: &Spec) -> Vec<Item> {
    let document = &spec.document;
    let mut items = Vec::new();
    if let Some(article) = &document.article {
        let revision = article.revision.as_ref().map(|r| format!("revision {r}"));
        let reviewed = article.reviewed.as_ref().map(|r| format!("reviewed {r}"));
        let text = revision.into_iter().chain(reviewed).collect::<Vec<_>>().join(", ");
        items.push(Item { url: Some(article.url.clone()), ..Item::named("Article", text) });
    }
    if !document.also.is_empty() {
        items.push(Item::named("Also known as", document.also.join(", ")));
    }
    items.push(Item::named("Spec", format!("{}, SHA-256 {}", spec.origin.name, spec.origin.sha256)));
    items
}

fn symptom(symptom: &Symptom) -> Item {
    let event = &symptom.event;
    let level = event.level.map(|level| format!(", {}", level.as_str()));
    let expect = symptoms::expectation(symptom.expect.unwrap_or_default());
    let note = symptom.note.as_deref().map(|note| format!(". {}", paragraph(note))).unwrap_or_default();
    let (log, source, id) = (&event.log, &event.source, event.id);
    Item::new(format!("Event {id} of {source} in the log {log}{}; {expect}{note}", level.unwrap_or_default()))
}

fn where_it_applies(spec: &Spec) -> Vec<Block> {
    let products = spec.document.applies_to.iter().map(|product| Item::new(product.clone())).collect();
    let mut blocks = vec![Block::List(products)];
    if let Some(applicable) = &spec.applicable {
        let mut items = Vec::new();
        conditions::condition(applicable, 0, &mut items);
        blocks.push(Block::Text(
            "kbfix tests these conditions, and changes nothing on a machine that does not meet \
            them:"
                .to_owned(),
        ));
        blocks.push(Block::List(items));
    }
    blocks
}

fn prerequisites(spec: &Spec) -> Vec<Item> {
    let mut items = Vec::new();
    for (prerequisite, written) in spec.prerequisites.iter().zip(&spec.document.prerequisites) {
        titled(prerequisite, written.note.as_deref(), &mut items);
    }
    items
}

/// Describes the cause of the problem. kbfix only reports whether this cause is present.
fn cause(spec: &Spec) -> Vec<Item> {
    let mut items = Vec::new();
    if let (Some(cause), Some(written)) = (&spec.cause, &spec.document.cause) {
        titled(cause, written.note.as_deref(), &mut items);
    }
    items
}

fn titled(one: &Prerequisite, note: Option<&str>, items: &mut Vec<Item>) {
    items.push(Item::named(one.title.clone(), note.map(paragraph).unwrap_or_default()));
    conditions::condition(&one.condition, 1, items);
}

fn hotfix(spec: &Spec) -> Vec<Block> {
    let (Some(hotfix), Some(written)) = (&spec.hotfix, &spec.document.hotfix) else { return Vec::new() };
    let lead = format!("{} must be installed; kbfix recognizes it by these files:", hotfix.title);
    let mut items = Vec::new();
    for (file, written) in hotfix.files.iter().zip(&written.files) {
        let size = written.size.map(|size| format!("; the article's table gives {size} bytes")).unwrap_or_default();
        items.push(Item::named(
            file.path.to_string(),
            format!("{}{size}", conditions::file(Some(&file.version), file.platform)),
        ));
        for branch in written.branches.iter().flatten() {
            if let Some(title) = &branch.title {
                let text = format!("{} or later in the branch from {}", branch.version, branch.from);
                items.push(Item { depth: 1, ..Item::named(title.clone(), text) });
            }
        }
    }
    let mut blocks = vec![Block::Text(lead), Block::List(items)];
    if let Some(package) = &written.package {
        let text = "If a file is missing or too old, kbfix can install the package: the operator must supply it and request the \
            installation. kbfix cannot undo an installation.";
        blocks.push(Block::Text(text.to_owned()));
        blocks.push(Block::List(vec![
            Item::named("Package", package.file.clone()),
            Item::named("SHA-256", package.sha256.to_ascii_lowercase()),
            Item::named("Arguments", package.arguments.join(" ")),
        ]));
    }
    blocks
}

fn parameter(name: &str, parameter: &Parameter, spec: &Spec) -> Item {
    let mut text = vec![paragraph(&parameter.description).trim_end_matches('.').to_owned()];
    match &parameter.allowed {
        Some(Allowed::Meanings(meanings)) => {
            let each = meanings.iter().map(|(data, meaning)| format!("{data} ({meaning})"));
            text.push(format!("allowed: {}", each.collect::<Vec<_>>().join(", ")));
        }
        Some(Allowed::List(list)) => {
            text.push(format!("allowed: {}", list.iter().map(scalar).collect::<Vec<_>>().join(", ")));
        }
        None => {}
    }
    if let Some(range) = &parameter.range {
        let bound = |word: &str, bound: &Option<Scalar>| bound.as_ref().map(|b| format!("{word} {}", scalar(b)));
        let both = bound("at least", &range.at_least).into_iter().chain(bound("at most", &range.at_most));
        text.push(both.collect::<Vec<_>>().join(", "));
    }
    match &parameter.default {
        Some(_) if spec.sensitive.contains(name) => text.push("default: (hidden)".to_owned()),
        Some(default) => text.push(format!("default: {}", literal(default))),
        None => text.push("no default: the operator must choose".to_owned()),
    }
    if let Some(chosen) = spec.parameters.get(name).filter(|_| spec.set.contains(name)) {
        text.push(format!("set to {chosen}"));
    }
    Item::named(name, text.join("; "))
}

fn scalar(scalar: &Scalar) -> String {
    match scalar {
        Scalar::Number(number) => number.to_string(),
        Scalar::Text(text) => text.clone(),
    }
}

fn literal(literal: &Literal) -> String {
    match literal {
        Literal::Number(number) => number.to_string(),
        Literal::Text(text) => text.clone(),
        Literal::List(list) => list.join(","),
    }
}

fn by_hand(spec: &Spec) -> Vec<Block> {
    let step = |step: &ManualStep| {
        let order = match step.order {
            StepOrder::Before => "Before the changes",
            StepOrder::After => "After the changes",
        };
        Item { url: step.url.clone(), ..Item::named(order, paragraph(&step.what)) }
    };
    let steps: Vec<Item> = spec.document.manual_steps.iter().map(step).collect();
    let lead =
        if steps.is_empty() { "" } else { "kbfix does not do these steps, and does not check whether they were done:" };
    vec![Block::Text(lead.to_owned()), Block::List(steps)]
}

fn restart(spec: &Spec) -> Vec<Item> {
    let computer = match spec.restart.computer {
        ComputerRestart::Never => "need not be restarted",
        ComputerRestart::Unknown => "the sources do not say for certain whether it must be restarted",
        ComputerRestart::Required => "must be restarted; kbfix never restarts it",
    };
    let mut items = vec![Item::named("Computer", computer)];
    if !spec.restart.services.is_empty() {
        let services = spec.restart.services.join(", ");
        items.push(Item::named(
            "Services to restart",
            format!("{services}; kbfix restarts them only with --restart-services"),
        ));
    }
    items.extend(spec.restart.note.as_deref().map(|note| Item::named("Note", paragraph(note))));
    items
}

/// Returns the argument that names the spec on a command line: the id of a built-in spec, or the name of the spec's
/// file. A file name with spaces or other special characters is in quotes. If a shell would change the name even in
/// quotes, returns `SPEC`.
fn argument(spec: &Spec) -> String {
    let name = spec.origin.name.as_str();
    if name.starts_with("built-in ") {
        return spec.id.clone();
    }
    let name = name.strip_suffix(AS_SPEC).unwrap_or(name);
    let is_plain = |c: char| c.is_alphanumeric() || "-_./\\:,+@".contains(c);
    let changes_in_quotes = |c: char| c.is_control() || "\"$`%!".contains(c);
    match name {
        _ if name.chars().all(is_plain) => name.to_owned(),
        _ if name.contains(changes_in_quotes) => "SPEC".to_owned(),
        _ => format!("\"{name}\""),
    }
}

fn undo(spec: &Spec) -> Vec<Block> {
    let name = argument(spec);
    let set = |(name, parameter): (&String, &Parameter)| {
        parameter.default.is_none().then(|| format!(" --set {name}={}", name.to_uppercase()))
    };
    let set: String = spec.document.parameters.iter().filter_map(set).collect();
    let lines = [
        (format!("diff {name}{set}"), "shows what would change, and changes nothing"),
        (format!("apply {name}{set}"), "makes the changes, and records the previous state in a journal"),
        ("rollback --last".to_owned(), "undoes the latest apply"),
        ("journal list".to_owned(), "lists the journals, one for each run that made changes"),
        ("journal show NAME".to_owned(), "shows the data before the apply with the journal NAME"),
        ("rollback NAME".to_owned(), "undoes the apply with the journal NAME"),
    ];
    let width = lines.iter().map(|(command, _)| command.chars().count()).max().unwrap_or(0);
    let lines: Vec<String> = lines.iter().map(|(command, does)| format!("kbfix {command:width$}  {does}")).collect();
    let mut blocks = vec![Block::Code(lines.join("\n"))];
    let mut text = String::new();
    if !spec.document.parameters.is_empty() {
        text.push_str("With --set NAME=VALUE, diff and apply take another value for a parameter. ");
    }
    text.push_str(
        "A rollback deletes the keys and values that the apply created, and restores the previous type and data of all \
        others. If a value was changed after the apply, the rollback keeps the new data and reports the value; with \
        --force, the rollback restores this value too.",
    );
    if spec.hotfix.is_some() {
        text.push_str(" The hotfix stays installed.");
    }
    if !spec.document.manual_steps.is_empty() {
        text.push_str(" Undo the manual steps by hand.");
    }
    text.push_str(" After a rollback, the same restarts are needed as after the change.");
    blocks.push(Block::Text(text));
    blocks
}

/// Returns a note as an item of a list. If the note contains the word `inference`, the item is marked as an inference.
fn note(note: &str) -> Item {
    Item { inference: note.to_lowercase().contains("inference"), ..Item::new(paragraph(note)) }
}

fn source(source: &crate::spec::document::Source) -> Item {
    let level = match source.level {
        SourceLevel::Microsoft => "Microsoft",
        SourceLevel::Mirror => "A copy of Microsoft's article",
        SourceLevel::Secondary => "Third party",
        SourceLevel::Inference => "Inference",
    };
    Item {
        url: source.url.clone(),
        inference: source.level == SourceLevel::Inference,
        ..Item::named(level, paragraph(&source.what))
    }
}
