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

/// All pages, by task.
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

/// A term, which a page defines if it uses the term.
pub(super) struct Term {
    /// The words that a page contains if it uses the term.
    pub words: &'static [&'static str],
    /// One or several sentences. Links are relative to `docs/reference`.
    pub definition: &'static str,
}

const fn term(words: &'static [&'static str], definition: &'static str) -> Term {
    Term { words, definition }
}

pub(super) const TERMS: &[Term] = &[
    term(
        &["spec", "specs", "Spec", "article", "articles"],
        "A *spec* is a YAML file that describes which state of a Windows machine an *article* of the Microsoft Knowledge \
         Base requires ([the spec language](language.md)).",
    ),
    term(&["built-in"], "A *built-in* spec is part of kbfix ([all built-in specs](library.md))."),
    term(
        &["target"],
        "The *target* is what a command reads or changes, such as this Windows machine ([all targets](targets.md)).",
    ),
    term(
        &["plan", "plans"],
        "A *plan* is a file with the changes that a target needs ([the plan file](plan.md)). Its *digest* is the checksum by \
         which a reviewer approves it.",
    ),
    term(
        &["journal", "journals"],
        "A *journal* is a file with the state before a change, with which kbfix can undo the change \
         ([the journal](journal.md)).",
    ),
    term(
        &["an apply", "the apply", "of applies", "two applies", "last apply"],
        "An *apply* is a run of [`kbfix apply`](commands/apply.md).",
    ),
    term(&["retirements", "retirement"], "A *retirement* is a run of [`kbfix retire`](commands/retire.md)."),
    term(
        &["snapshot", "snapshots"],
        "A *snapshot* is a file with facts about one machine ([`kbfix snapshot`](commands/snapshot.md)).",
    ),
    term(&["fleet", "Fleet"], "A *fleet* is a number of machines that are reviewed together ([Fleets](fleet.md))."),
    term(&["fleet plan"], "A *fleet plan* is a file with the plans of all machines of a fleet."),
    term(&["fact", "facts"], "A *fact* is what a target answers about one key, value or file."),
    term(
        &["rule", "rules"],
        "A *rule* of a spec names a registry key and the values that it must contain ([rules](language/keys.md)).",
    ),
    term(&["registry export"], "A *registry export* is a `.reg` file."),
    term(
        &["policy store"],
        "A *policy store* is a file with settings of Group Policy that the Windows of a target uses.",
    ),
    term(
        &["waivers", "waiver"],
        "A *waiver* allows some machines of a fleet to differ from a spec for a limited time ([waivers](fleet.md#waivers)).",
    ),
    term(
        &["outcome", "outcomes", "blocked"],
        "The *outcome* is the result of a spec on a target, such as *blocked* ([all outcomes](exit-codes.md#outcomes)).",
    ),
    term(
        &["parameter", "parameters"],
        "A *parameter* is a setting of a spec that the person who runs kbfix chooses \
         ([parameters](language/parameters.md)).",
    ),
    term(
        &["hotfix"],
        "The *hotfix* of a spec is the update that the article requires ([the hotfix](language/hotfix.md)).",
    ),
    term(
        &["symptoms"],
        "A *symptom* is an event that the article names as a sign of its problem, or of its remedy ([symptoms](language/steps.md#symptom)).",
    ),
    term(&["hive"], "A *hive* is a file that contains a part of the Windows registry, such as SYSTEM."),
    term(&["image"], "An *image* is the mounted disk of a switched-off Windows ([the target image](target-image.md))."),
    term(
        &["Group Policy", "policy"],
        "*Group Policy* is the part of Windows that sets registry values on the machines of an organization.",
    ),
    term(&["Registry.pol"], "A *Registry.pol* is a file with registry settings of Group Policy."),
    term(
        &["GPO"],
        "A *GPO* (Group Policy object) is a set of settings of Group Policy. The *local GPO* is that of a single machine.",
    ),
    term(
        &["refresh"],
        "At each *refresh*, about every 90 minutes, Windows processes Group Policy. It can then write the settings of Group \
         Policy into the registry again.",
    ),
    term(
        &["LGPO.exe"],
        "*LGPO.exe* is a tool of Microsoft that changes the Group Policy settings of a single machine.",
    ),
    term(&["MachineGuid"], "The *MachineGuid* is an identifier of a machine that Windows Setup creates."),
    term(
        &["OSConfig"],
        "*OSConfig* is a tool of Microsoft for the security settings of Windows Server. Its *manifest* is a file \
         that lists settings.",
    ),
    term(
        &["instance", "resource"],
        "*DSC* (Desired State Configuration) is a program of Microsoft that brings a machine into the state that a \
         configuration file describes. A *resource* is a kind of thing that DSC can configure, and an *instance* is one such \
         thing, with its properties.",
    ),
];
