//! Checks that `docs/reference/library.md` lists the specs in `specs/`. `UPDATE_DOCS=1` writes the page.

use std::{collections::BTreeSet, fs, path::Path};

use kbfix::spec::{
    self, Settings, Spec,
    document::{
        ComputerRestart, DataExpression, Ensure, KeyRule, Literal, Scalar, TypeChoice, TypeName, ValueRule, ViewChoice,
    },
};

use crate::library::yaml_files;

const HEAD: &str = "# The library

This page lists the *specs* that are built into kbfix.
A spec is a YAML file that describes what a Microsoft article requires.
[Find a spec](../how-to/find-a-spec.md) shows how to search them.

- `kbfix show ID` prints a spec, with its notes and sources.
- `kbfix diff ID` shows what the spec would change on this Windows machine.

The column \"what it sets\" contains the registry keys and, after the colon, the values with their types:

| in the table | meaning |
|---|---|
| `*` in a key | any characters: the spec changes each existing key whose name fits |
| HKCU | the registry of each user of the machine |
| `{name}` in a key | the operator, who runs kbfix, chooses this part with `--set name=…` |
| as chosen by `name` | the operator chooses the data with `--set name=…` |
| both views | the key has one copy for 32-bit programs and one for 64-bit programs, and the spec changes both |
| 32-bit view | the spec changes the copy for 32-bit programs |
| REG_SZ or REG_DWORD | each of these types is accepted; kbfix creates the value with the first one |
| bits … set, bits … cleared | only these bits of the number are changed |
| with `A`, without `B` | the list must contain A and must not contain B; other strings stay |
| with those of `name` | the list must contain the strings that the operator chooses with `--set name=…` |

Conditions in a spec can decide which of its entries apply to a machine, for example if a key is listed more than once.
Many specs also accept other data, such as a stricter setting, which kbfix then does not change; `kbfix show ID` lists this data.

The column \"restart\" says what must be restarted so that the changes take effect.
\"Not known\" means that the article does not mention a restart.

| id | title | what it sets | restart |
|---|---|---|---|
";

const FOOT: &str = "
---

This page is generated from the folder `specs/`: `UPDATE_DOCS=1 cargo test --test engine library`.
";

#[test]
fn the_list_of_specs_is_up_to_date() {
    let mut generated = HEAD.to_owned();
    for (id, path) in yaml_files("specs") {
        let loaded = spec::load(&id, &fs::read(path).unwrap(), &Settings::for_validation());
        let spec = loaded.spec.unwrap();
        let cells = [format!("`{id}`"), spec.title.clone(), what_it_sets(&spec), restart(&spec)];
        generated.push_str(&format!("| {} |\n", cells.map(|cell| cell.replace('|', "\\|")).join(" | ")));
    }
    generated.push_str(FOOT);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference/library.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &generated).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    assert!(
        found == generated,
        "docs/reference/library.md is not what specs/ says; run UPDATE_DOCS=1 cargo test --test engine library"
    );
}

/// Returns the types that a value rule names, or that follow from it.
pub(super) fn types(rule: &ValueRule) -> Vec<TypeName> {
    match &rule.types {
        Some(TypeChoice::One(one)) => vec![*one],
        Some(TypeChoice::Any(any)) => any.clone(),
        None if rule.list.is_some() => vec![TypeName::RegMultiSz],
        None => Vec::new(),
    }
}

/// No article was found that requires a REG_DWORD_BIG_ENDIAN.
#[test]
fn the_library_has_values_of_most_types() {
    let mut found = BTreeSet::new();
    for (id, path) in yaml_files("specs") {
        let loaded = spec::load(&id, &fs::read(path).unwrap(), &Settings::for_validation());
        let rules = loaded.spec.unwrap().document.registry;
        found.extend(rules.iter().flat_map(|rule| rule.values.values()).flat_map(|value| types(value)).map(name));
    }
    let named = "REG_NONE REG_SZ REG_EXPAND_SZ REG_BINARY REG_DWORD REG_MULTI_SZ REG_QWORD";
    assert_eq!(found, named.split(' ').map(str::to_owned).collect());
}

/// Returns the name of a type as a spec writes it.
pub(super) fn name(name: TypeName) -> String {
    serde_json::to_value(name).unwrap().as_str().unwrap().to_owned()
}

fn what_it_sets(spec: &Spec) -> String {
    let mut lines: Vec<String> = Vec::new();
    for rule in &spec.document.registry {
        let line = key(rule);
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines.join("<br>")
}

fn key(rule: &KeyRule) -> String {
    let view = match rule.view {
        None | Some(ViewChoice::Bits64) => "",
        Some(ViewChoice::Bits32) => " (32-bit view)",
        Some(ViewChoice::Both) => " (both views)",
    };
    let path = format!("`{}`{view}", rule.key);
    match (rule.ensure, rule.values.is_empty()) {
        (Some(Ensure::Absent), _) => format!("{path}: the key is deleted"),
        (_, true) => format!("{path}: the key is created"),
        _ => {
            let values: Vec<String> = rule.values.iter().map(|(name, rule)| value(name, rule)).collect();
            format!("{path}: {}", values.join(", "))
        }
    }
}

fn value(name: &str, rule: &ValueRule) -> String {
    let name = if name.is_empty() { "the default value".to_owned() } else { format!("`{name}`") };
    if rule.ensure == Some(Ensure::Absent) {
        return format!("{name} is deleted");
    }
    let types = types(rule).into_iter().map(self::name).collect::<Vec<_>>().join(" or ");
    let number = |scalar: &Scalar| match scalar {
        Scalar::Number(number) => format!("{number:#x}"),
        Scalar::Text(text) => text.clone(),
    };
    let what = if let Some(bits) = &rule.bits {
        let set = bits.set.as_ref().map(|bits| format!("bits {} set", number(bits)));
        let clear = bits.clear.as_ref().map(|bits| format!("bits {} cleared", number(bits)));
        set.into_iter().chain(clear).collect::<Vec<_>>().join(", ")
    } else if let Some(list) = &rule.list {
        let items = |expression: &DataExpression| match expression {
            DataExpression::Parameter(reference) => format!("those of `{}`", reference.parameter),
            literal => data(literal),
        };
        let with = list.add.as_ref().map(|add| format!("with {}", items(add)));
        let without = list.remove.as_ref().map(|remove| format!("without {}", items(remove)));
        with.into_iter().chain(without).collect::<Vec<_>>().join(", ")
    } else {
        rule.data.as_ref().map_or_else(String::new, data)
    };
    format!("{name} {what} ({types})")
}

fn data(expression: &DataExpression) -> String {
    match expression {
        DataExpression::Parameter(reference) => format!("as chosen by `{}`", reference.parameter),
        DataExpression::Literal(Literal::Number(number)) => format!("= {number}"),
        DataExpression::Literal(Literal::Text(text)) if text.is_empty() => "without data".to_owned(),
        DataExpression::Literal(Literal::Text(text)) => format!("= `{text}`"),
        DataExpression::Literal(Literal::List(list)) => {
            list.iter().map(|item| format!("`{item}`")).collect::<Vec<_>>().join(", ")
        }
    }
}

fn restart(spec: &Spec) -> String {
    let computer = match spec.restart.computer {
        ComputerRestart::Never => None,
        ComputerRestart::Unknown => Some("not known".to_owned()),
        ComputerRestart::Required => Some("the computer".to_owned()),
    };
    let services = spec.restart.services.iter().map(|service| format!("the service {service}"));
    let all: Vec<String> = computer.into_iter().chain(services).collect();
    if all.is_empty() { "none".to_owned() } else { all.join(", ") }
}
