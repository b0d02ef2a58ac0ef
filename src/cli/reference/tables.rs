//! What the reference of the commands says in addition to clap's definitions: the order of the commands, and the terms.

/// A page about a command, or about a command and all its subcommands.
pub(super) struct Page {
    /// The command without `kbfix`, such as `fleet diff`.
    pub command: &'static str,
    /// The page of the book that shows how to use the command, by its path below `docs`.
    pub how_to: &'static str,
}

const fn page(command: &'static str, how_to: &'static str) -> Page {
    Page { command, how_to }
}

/// All pages. Each entry is a heading, which names a task of the user, and the pages below this heading.
pub(super) const TASKS: &[(&str, &[Page])] = &[
    (
        "Find, read and check specs",
        &[
            page("library", "how-to/find-a-spec.md"),
            page("show", "how-to/find-a-spec.md"),
            page("validate", "how-to/write-a-spec.md"),
        ],
    ),
    (
        "Change a machine",
        &[
            page("diff", "how-to/review-a-change.md"),
            page("apply", "how-to/apply-and-roll-back.md"),
            page("rollback", "how-to/apply-and-roll-back.md"),
            page("retire", "how-to/retire-a-spec.md"),
            page("journal", "how-to/apply-and-roll-back.md"),
        ],
    ),
    (
        "Read a machine",
        &[
            page("snapshot", "how-to/review-a-fleet.md"),
            page("symptoms", "how-to/look-for-symptoms.md"),
            page("hive", "how-to/offline-images.md"),
        ],
    ),
    (
        "Review a fleet",
        &[
            page("fleet diff", "how-to/review-a-fleet.md"),
            page("fleet plan", "how-to/review-a-fleet.md"),
            page("fleet impact", "how-to/comment-on-pull-requests.md"),
            page("fleet drift", "how-to/review-a-fleet.md"),
        ],
    ),
    (
        "Work with other tools",
        &[
            page("import", "how-to/convert-specs.md"),
            page("export", "how-to/convert-specs.md"),
            page("dsc", "how-to/dsc.md"),
            page("schema", "how-to/write-a-spec.md"),
        ],
    ),
    (
        "Set up kbfix",
        &[
            page("example", "tutorial/first-fix.md"),
            page("completions", "how-to/install.md"),
            page("man", "how-to/install.md"),
        ],
    ),
];

/// The terms of the glossary that a page can explain. Each entry is a term and some words: a page that contains one of
/// these words explains the term.
pub(super) const TERMS: &[(&str, &[&str])] = &[
    ("spec", &["spec", "specs", "Spec"]),
    ("built-in spec", &["built-in"]),
    ("rule", &["rule", "rules"]),
    ("condition", &["condition", "conditions"]),
    ("prerequisite", &["prerequisites"]),
    ("parameter", &["parameter", "parameters"]),
    ("hotfix", &["hotfix"]),
    ("symptom", &["symptoms"]),
    ("target", &["target"]),
    ("image", &["image"]),
    ("registry export", &["registry export"]),
    ("root key", &["root key"]),
    ("hive", &["hive"]),
    ("fact", &["fact", "facts"]),
    ("outcome", &["outcome", "outcomes"]),
    ("blocked", &["blocked"]),
    ("plan", &["plan", "plans"]),
    ("digest", &["digest"]),
    ("apply", &["an apply", "the apply", "of applies", "two applies", "last apply"]),
    ("journal", &["journal", "journals"]),
    ("retirement", &["retirement", "retirements"]),
    ("snapshot", &["snapshot", "snapshots"]),
    ("fleet", &["fleet", "Fleet"]),
    ("fleet plan", &["fleet plan", "digest"]),
    ("group", &["groups"]),
    ("waiver", &["waiver", "waivers"]),
    ("MachineGuid", &["MachineGuid"]),
    ("Group Policy", &["Group Policy", "policy", "Registry.pol", "LGPO.exe"]),
    ("Group Policy object (GPO)", &["GPO", "Registry.pol", "LGPO.exe"]),
    ("refresh", &["refresh"]),
    ("Registry.pol", &["Registry.pol"]),
    ("policy store", &["policy store"]),
    ("LGPO.exe", &["LGPO.exe"]),
    ("OSConfig", &["OSConfig"]),
    ("DSC", &["instance", "resource"]),
];
