//! Checks the structure that ARCHITECTURE.md describes: which module may import which.
//!
//! The modules in the three `lib.rs` are in the order in which data flows. A module imports only modules before it, no
//! files import each other in a circle, the codecs do not use specs, and only a few folders access the disk. Test code
//! is not checked.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use syn::{
    Attribute, File, Item, UseTree, Visibility,
    visit::{self, Visit},
};

/// The path of a module or item, from the crate's root: `spec::source::text`.
type Name = Vec<String>;

/// One source file of the library.
struct Source {
    path: String,
    /// The module that it is.
    module: Name,
    /// Every path of this crate that it names, from the root.
    uses: BTreeSet<Name>,
    /// What it gives out under another path.
    exports: BTreeMap<Name, Name>,
    /// Whether it names `std::fs` or one of its items.
    touches_disk: bool,
}

struct House {
    /// The modules of the crates, in the order of data flow.
    order: Vec<String>,
    sources: Vec<Source>,
}

impl House {
    /// The house as it is, read once for all tests.
    fn read() -> &'static Self {
        static HOUSE: LazyLock<House> = LazyLock::new(House::of_the_sources);
        &HOUSE
    }

    fn of_the_sources() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut house = Self { order: Vec::new(), sources: Vec::new() };
        // Each crate gives out the modules of those before it under their own names.
        for folder in ["src/machine", "src/language", "src"].map(|folder| root.join(folder)) {
            for item in &parse(&folder.join("lib.rs")).items {
                let Item::Mod(module) = item else { continue };
                house.order.push(module.ident.to_string());
                house.add(root, &folder, vec![module.ident.to_string()]);
            }
        }
        house
    }

    /// Adds the file of a module, and those of the modules that it declares.
    fn add(&mut self, root: &Path, folder: &Path, module: Name) {
        let name = module.last().unwrap();
        let own = folder.join(name);
        let candidates: [PathBuf; 2] = [folder.join(format!("{name}.rs")), own.join("mod.rs")];
        let path = candidates.iter().find(|path| path.exists()).unwrap_or_else(|| panic!("no file for {module:?}"));
        let file = parse(path);
        let children: BTreeSet<String> = file.items.iter().filter_map(child).collect();
        let mut reader = Reader { module: module.clone(), children: &children, ..Reader::new() };
        reader.visit_file(&file);
        self.sources.push(Source {
            path: path.strip_prefix(root).unwrap().display().to_string(),
            module: module.clone(),
            uses: reader.uses,
            exports: reader.exports,
            touches_disk: reader.touches_disk,
        });
        for child in children {
            self.add(root, &own, [module.clone(), vec![child]].concat());
        }
    }

    /// The file in which the item of this path stands, through whatever gives it out elsewhere.
    fn file_of(&self, name: &Name, exports: &BTreeMap<&Name, &Name>, files: &BTreeMap<&Name, usize>) -> Option<usize> {
        let mut name = name.clone();
        let parts = |name: &Name| (1..=name.len()).rev().map(|length| name[..length].to_vec()).collect::<Vec<_>>();
        // What is given out may be given out again; nothing is more than a few times.
        for _ in 0..8 {
            match parts(&name).into_iter().find(|part| exports.contains_key(part)) {
                Some(part) => name = [exports[&part].clone(), name[part.len()..].to_vec()].concat(),
                None => break,
            }
        }
        parts(&name).iter().find_map(|part| files.get(part)).copied()
    }

    /// The files that each file imports from.
    fn imports(&self) -> Vec<BTreeSet<usize>> {
        let exports = self.sources.iter().flat_map(|source| &source.exports).collect();
        let files = self.sources.iter().enumerate().map(|(at, source)| (&source.module, at)).collect();
        let of = |(at, source): (usize, &Source)| {
            let imported = source.uses.iter().filter_map(|name| self.file_of(name, &exports, &files));
            imported.filter(|other| *other != at).collect()
        };
        self.sources.iter().enumerate().map(of).collect()
    }
}

fn parse(path: &Path) -> File {
    let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    syn::parse_file(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("test")
            || attribute.path().is_ident("cfg")
                && attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test"))
    })
}

/// The module that an item declares in a file of its own.
fn child(item: &Item) -> Option<String> {
    match item {
        Item::Mod(module) if module.content.is_none() && !is_test(&module.attrs) => Some(module.ident.to_string()),
        _ => None,
    }
}

/// Collects the paths of one file.
struct Reader<'a> {
    module: Name,
    children: &'a BTreeSet<String>,
    uses: BTreeSet<Name>,
    exports: BTreeMap<Name, Name>,
    touches_disk: bool,
}

impl Reader<'_> {
    fn new() -> Self {
        static NONE: BTreeSet<String> = BTreeSet::new();
        Self {
            module: Name::new(),
            children: &NONE,
            uses: BTreeSet::new(),
            exports: BTreeMap::new(),
            touches_disk: false,
        }
    }

    /// The path from the root; none where it is not one of this crate.
    fn absolute(&self, path: &[String]) -> Option<Name> {
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => Some(rest.to_vec()),
            "self" => Some([self.module.clone(), rest.to_vec()].concat()),
            "super" => {
                let mut base = self.module.clone();
                base.pop();
                let more = rest.iter().take_while(|name| *name == "super").count();
                base.truncate(base.len().saturating_sub(more));
                Some([base, rest[more..].to_vec()].concat())
            }
            name if self.children.contains(name) => Some([self.module.clone(), path.to_vec()].concat()),
            _ => None,
        }
    }

    fn note(&mut self, path: &[String]) {
        let names = |name: &str| path.first().is_some_and(|first| first == name);
        self.touches_disk |= names("fs") || names("std") && path.get(1).is_some_and(|second| second == "fs");
        // That a module has parts is no import of them.
        if path.first().is_some_and(|first| self.children.contains(first)) {
            return;
        }
        self.uses.extend(self.absolute(path).filter(|name| !name.is_empty()));
    }
}

fn flatten(tree: &UseTree, before: &[String], found: &mut Vec<(Name, String)>) {
    let with = |name: &syn::Ident| [before.to_vec(), vec![name.to_string()]].concat();
    match tree {
        UseTree::Path(path) => flatten(&path.tree, &with(&path.ident), found),
        UseTree::Name(name) if name.ident == "self" => {
            found.push((before.to_vec(), before.last().cloned().unwrap_or_default()));
        }
        UseTree::Name(name) => found.push((with(&name.ident), name.ident.to_string())),
        UseTree::Rename(name) => found.push((with(&name.ident), name.rename.to_string())),
        UseTree::Glob(_) => found.push((before.to_vec(), String::new())),
        UseTree::Group(group) => group.items.iter().for_each(|tree| flatten(tree, before, found)),
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes = match item {
            Item::Mod(item) => &item.attrs,
            Item::Fn(item) => &item.attrs,
            Item::Impl(item) => &item.attrs,
            Item::Use(item) => &item.attrs,
            _ => return visit::visit_item(self, item),
        };
        if !is_test(attributes) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let mut found = Vec::new();
        flatten(&item.tree, &[], &mut found);
        for (path, name) in found {
            if let Some(target) = self.absolute(&path)
                && !matches!(item.vis, Visibility::Inherited)
            {
                self.exports.insert([self.module.clone(), vec![name]].concat(), target);
            }
            self.note(&path);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Name = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if names.len() > 1 {
            self.note(&names);
        }
        visit::visit_path(self, path);
    }
}

#[test]
fn a_module_imports_only_what_stands_above_it() {
    let house = House::read();
    let place = |module: &str| house.order.iter().position(|name| name == module);
    let mut wrong = BTreeSet::new();
    for source in &house.sources {
        for name in &source.uses {
            if place(&name[0]) > place(&source.module[0]) {
                wrong.insert(format!("{} imports {}", source.path, name.join("::")));
            }
        }
    }
    assert!(wrong.is_empty(), "against the order of the modules:\n{}", join(&wrong));
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let house = House::read();
    let imports = house.imports();
    let mut wrong = BTreeSet::new();
    for (start, _) in house.sources.iter().enumerate() {
        // The shortest way back to where it began.
        let mut from: BTreeMap<usize, usize> = BTreeMap::new();
        let mut queue = std::collections::VecDeque::from([start]);
        while let Some(at) = queue.pop_front() {
            for next in &imports[at] {
                if !from.contains_key(next) {
                    from.insert(*next, at);
                    queue.push_back(*next);
                }
            }
        }
        if let Some(mut at) = from.get(&start).copied() {
            let mut circle = vec![start];
            while at != start {
                circle.push(at);
                at = from[&at];
            }
            circle.sort_unstable();
            let names: Vec<&str> = circle.iter().map(|at| &*house.sources[*at].path).collect();
            wrong.insert(names.join(" and "));
        }
    }
    assert!(wrong.is_empty(), "these import each other:\n{}", join(&wrong));
}

#[test]
fn registry_and_codecs_know_nothing_of_specs() {
    let house = House::read();
    let mut wrong = BTreeSet::new();
    for source in house.sources.iter().filter(|source| ["registry", "version", "format"].contains(&&*source.module[0]))
    {
        for name in source.uses.iter().filter(|name| !["registry", "version", "format"].contains(&&*name[0])) {
            wrong.insert(format!("{} imports {}", source.path, name.join("::")));
        }
    }
    assert!(wrong.is_empty(), "{}", join(&wrong));
}

/// The commands may, and are not of the library; neither are what they have done: an installer's package is a file that
/// is copied and run, and the example machine is a folder.
#[test]
fn only_a_few_folders_touch_the_disk() {
    let house = House::read();
    let may = |source: &&Source| {
        let module: Vec<&str> = source.module.iter().map(String::as_str).collect();
        matches!(
            module.as_slice(),
            ["files" | "targets" | "journal" | "example", ..] | ["steps" | "operation", "package", ..]
        )
    };
    let wrong: BTreeSet<String> =
        house.sources.iter().filter(|s| !may(s) && s.touches_disk).map(|source| source.path.clone()).collect();
    assert!(wrong.is_empty(), "these touch the disk:\n{}", join(&wrong));
}

/// Returns the path below the project's root and the text of each Rust file below this folder.
fn rust_files(folder: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut folders, mut files) = (vec![root.join(folder)], Vec::new());
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root).unwrap().display().to_string();
                files.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    files
}

/// A file that is longer has more than one reason to change.
#[test]
fn no_file_is_longer_than_400_lines() {
    const MOST: usize = 400;
    let files = rust_files("src");
    let lines = files.iter().map(|(name, text)| (name, text.lines().count()));
    let long: BTreeSet<String> =
        lines.filter(|(_, lines)| *lines > MOST).map(|(name, lines)| format!("{name} has {lines}")).collect();
    assert!(files.len() > 200, "only {} files were found", files.len());
    assert!(long.is_empty(), "these files have more than {MOST} lines:\n{}", join(&long));
}

/// rustfmt keeps code within 120 columns, but not comments.
#[test]
fn no_comment_is_longer_than_120_columns() {
    const MOST: usize = 120;
    let mut long = BTreeSet::new();
    for (name, text) in ["src", "tests", "benches", "examples"].into_iter().flat_map(rust_files) {
        let is_long = |line: &str| line.trim_start().starts_with("//") && line.chars().count() > MOST;
        long.extend(
            text.lines().enumerate().filter(|(_, line)| is_long(line)).map(|(at, _)| format!("{name}:{}", at + 1)),
        );
    }
    assert!(long.is_empty(), "these comments are longer than {MOST} columns:\n{}", join(&long));
}

/// In a raw string, a backslash at the end of a line does not continue the line: it would be printed.
#[test]
fn no_raw_string_ends_a_line_with_a_backslash() {
    let mut found = BTreeSet::new();
    for (name, text) in rust_files("src") {
        for (at, _) in text.match_indices("r\"").filter(|(at, _)| !text[..*at].ends_with(char::is_alphanumeric)) {
            let string = text[at + 2..].split('"').next().unwrap_or_default();
            if string.contains("\\\n") {
                found.insert(format!("{name}: {string}"));
            }
        }
    }
    assert!(found.is_empty(), "{}", join(&found));
}

fn join(lines: &BTreeSet<String>) -> String {
    lines.iter().map(String::as_str).collect::<Vec<_>>().join("\n")
}
